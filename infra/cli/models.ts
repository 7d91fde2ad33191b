import { readFile } from 'node:fs/promises'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import { recordModel } from '../../commands/models.ts'
import { CHURN_FEATURES } from '../../domain/churn.ts'
import { isRefusal } from '../../domain/kernel.ts'
import type { ModelFamily } from '../../domain/models.ts'
import { FEATURE_NAMES } from '../../ml/features.ts'
import { loadModel, ModelRefused } from '../../ml/model.ts'
import { openBackOffice } from '../back_office.ts'
import type { Config } from '../config.ts'
import { describedBy } from '../models/described.ts'
import { SYSTEM } from '../ports.ts'
import { withPremises } from './premises.ts'

/** What models of each family look at, in their order. */
const features: Readonly<Record<ModelFamily, readonly string[]>> = {
  churn: CHURN_FEATURES,
  fraud: FEATURE_NAMES,
}

/**
 * Keeps an ONNX file as a model of a family, once onnxruntime and our own reading of its trees
 * agree. Answers the exit code: 1 when the file is no usable model, or its version is known.
 */
export const runAddModel = (config: Config, family: ModelFamily, path: string): Promise<number> =>
  withPremises(config, { projector: false }, async (premises) => {
    const { ports, artefacts, close } = await openBackOffice(config, premises)
    try {
      const bytes = await readFile(path)
      const model = await loadModel(bytes, features[family])
      const sha256 = await artefacts.save(bytes)
      const described = describedBy(family, model, { sha256, bytes: bytes.length })
      await model.close()
      const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
      const recorded = await execute(ports, recordModel, described, context)
      if (isRefusal(recorded)) {
        console.error(recorded.detail)
        return 1
      }
      const { average_precision, auc } = described.metrics
      console.log(
        `${family} model ${described.version}: AUC ${auc.toFixed(3)}, AP ${average_precision.toFixed(3)}, ` +
          `sha256 ${sha256}`,
      )
      return 0
    } catch (error) {
      if (!(error instanceof ModelRefused)) throw error
      console.error(error.message)
      return 1
    } finally {
      await close()
    }
  })
