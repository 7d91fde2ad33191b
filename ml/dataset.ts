import { applyMovement, FEATURE_NAMES, features, initialFeatures } from './features.ts'
import { movementOf } from './movements.ts'
import type { Simulation } from './simulator.ts'
import { SIMULATED_ASSET } from './simulator.ts'

/** Scored movements in the order they were made: one column per feature, and their labels. */
export type Dataset = { readonly columns: readonly Float32Array[]; readonly labels: Uint8Array }

/** Runs the simulated postings through the very reducer that the scorer uses. */
export const datasetOf = (simulation: Simulation): Dataset => {
  const state = initialFeatures()
  const vectors: Float32Array[] = []
  const labels: number[] = []
  let revision = 0
  for (const posting of simulation.postings) {
    const side = { amount: posting.amount.toString(), asset: SIMULATED_ASSET }
    const movement = movementOf('main', revision, {
      id: String(revision),
      kind: posting.kind,
      booked_at: posting.at.toISOString(),
      lines: [
        { ...side, account: posting.from, direction: 'debit' },
        { ...side, account: posting.to, direction: 'credit' },
      ],
    })
    if (movement.scored) {
      vectors.push(features(state, movement))
      labels.push(posting.fraud ? 1 : 0)
    }
    applyMovement(state, movement)
    revision += 1
  }
  const columns = FEATURE_NAMES.map((_, column) =>
    Float32Array.from(vectors, (vector) => vector[column] as number),
  )
  return { columns, labels: Uint8Array.from(labels) }
}

/** The rows from `begin` up to, not including, `end`. */
export const slice = (dataset: Dataset, begin: number, end: number): Dataset => ({
  columns: dataset.columns.map((column) => column.subarray(begin, end)),
  labels: dataset.labels.subarray(begin, end),
})

export const rowOf = (dataset: Dataset, row: number): Float32Array =>
  Float32Array.from(dataset.columns, (column) => column[row] as number)
