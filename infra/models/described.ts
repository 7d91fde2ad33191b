import { z } from 'zod'
import type { ModelFamily, TrainedModel } from '../../domain/models.ts'
import type { Model } from '../../ml/model.ts'

/** What the trainer writes into a model's metadata. */
const Measured = z.object({
  rows: z.number(),
  base_rate: z.number(),
  auc: z.number(),
  average_precision: z.number(),
  brier: z.number(),
  at_threshold: z.object({
    threshold: z.number(),
    accuracy: z.number(),
    precision: z.number(),
    recall: z.number(),
    f1: z.number(),
  }),
})
const Importances = z.record(z.string(), z.number()).nullable()

const parsed = (text: string | undefined): unknown => JSON.parse(text ?? 'null')

/** A model as the registry keeps it, by what its own file says. Throws when it says too little. */
export const describedBy = (
  family: ModelFamily,
  { version, metadata }: Pick<Model, 'version' | 'metadata'>,
  file: { readonly sha256: string; readonly bytes: number },
): Omit<TrainedModel, 'trained_at'> => {
  const { at_threshold, ...measured } = Measured.parse(parsed(metadata.metrics))
  const { f1: f1_score, threshold, accuracy, precision, recall } = at_threshold
  return {
    ...file,
    family,
    version,
    metrics: { ...measured, threshold, accuracy, precision, recall, f1_score },
    importances: Importances.parse(parsed(metadata.importances)) ?? {},
    source: (metadata.trained_on ?? '').slice(0, 256),
  }
}
