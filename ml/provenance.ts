import { createHash } from 'node:crypto'
import type { BoostReport, BoostSettings } from './boosting.ts'

/** SHA-256 over the bytes of the columns and the labels that a model was trained on. */
export const digestOf = (columns: readonly Float32Array[], labels: Uint8Array): string => {
  const hash = createHash('sha256')
  const count = (length: number) => hash.update(`${length} `)
  count(columns.length)
  for (const { buffer, byteOffset, byteLength, length } of columns) {
    count(length)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  count(labels.length)
  return hash.update(labels).digest('hex')
}

export type Provenance = {
  readonly version: string
  readonly features: readonly string[]
  readonly settings: BoostSettings
  readonly report: BoostReport
  readonly data_digest: string
  /** What the rows are: a simulator's settings, a file's name, a span of a book. */
  readonly trained_on: unknown
  readonly metrics: unknown
  readonly thresholds: { readonly threshold: number; readonly block_threshold?: number }
  readonly importances?: Readonly<Record<string, number>>
}

/** All that is to be known of a model later, as the file's metadata: text under names. */
export const metadataOf = (provenance: Provenance): Record<string, string> => {
  const { version, features, settings, report, thresholds, importances } = provenance
  return {
    version,
    features: JSON.stringify(features),
    threshold: String(thresholds.threshold),
    ...(thresholds.block_threshold !== undefined && {
      block_threshold: String(thresholds.block_threshold),
    }),
    trained_on: JSON.stringify(provenance.trained_on),
    settings: JSON.stringify(settings),
    seed: String(settings.seed),
    rows: String(report.rows),
    base_rate: String(report.base_rate),
    data_digest: provenance.data_digest,
    training: JSON.stringify(report),
    metrics: JSON.stringify(provenance.metrics),
    ...(importances && { importances: JSON.stringify(importances) }),
  }
}
