import { readFile } from 'node:fs/promises'
import { isRefusal } from '../../domain/kernel.ts'
import type { ModelFamily } from '../../domain/models.ts'
import { ModelRefused } from '../../ml/model.ts'
import { openBackOffice } from '../back_office.ts'
import type { Config } from '../config.ts'
import { keepModel } from '../models/keep.ts'
import { withPremises } from './premises.ts'

/**
 * Keeps an ONNX file as a model of a family, once onnxruntime and our own reading of its trees
 * agree. Answers the exit code: 1 when the file is no usable model, or its version is known.
 */
export const runAddModel = (config: Config, family: ModelFamily, path: string): Promise<number> =>
  withPremises(config, { projector: false }, async (premises) => {
    const { ports, artefacts, close } = await openBackOffice(config, premises)
    try {
      const bytes = await readFile(path)
      const { described, recorded } = await keepModel({ ports, artefacts }, family, bytes)
      if (isRefusal(recorded)) {
        console.error(recorded.detail)
        return 1
      }
      const { average_precision, auc } = described.metrics
      console.log(
        `${family} model ${described.version}: AUC ${auc.toFixed(3)}, AP ${average_precision.toFixed(3)}, ` +
          `sha256 ${described.sha256}`,
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
