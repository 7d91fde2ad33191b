import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import { recordModel } from '../../commands/models.ts'
import type { Ports } from '../../commands/ports.ts'
import { CHURN_FEATURES } from '../../domain/churn.ts'
import type { ModelFamily } from '../../domain/models.ts'
import { FEATURE_NAMES } from '../../ml/features.ts'
import { loadModel } from '../../ml/model.ts'
import { SYSTEM } from '../system.ts'
import type { Artefacts } from './artefacts.ts'
import { describedBy } from './described.ts'

/** What models of each family look at, in their order. */
const features: Readonly<Record<ModelFamily, readonly string[]>> = {
  churn: CHURN_FEATURES,
  fraud: FEATURE_NAMES,
}

/**
 * Keeps an ONNX file as a model of a family, under its digest and in the registry. Answers what the
 * file says of itself, and what became of recording it. Throws ModelRefused for a file that is none.
 */
export const keepModel = async (
  { ports, artefacts }: { readonly ports: Ports; readonly artefacts: Artefacts },
  family: ModelFamily,
  bytes: Uint8Array,
) => {
  const model = await loadModel(bytes, features[family])
  const sha256 = await artefacts.save(bytes)
  const described = describedBy(family, model, { sha256, bytes: bytes.length })
  await model.close()
  const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
  return { described, recorded: await execute(ports, recordModel, described, context) }
}
