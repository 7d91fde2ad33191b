import type { FeatureState } from './features.ts'
import { apply, applyLabel, FEATURE_NAMES, features, initialFeatures } from './features.ts'
import type { Label } from './labels.ts'
import { movementOf, observationOf } from './movements.ts'
import type { SimulatedPosting, Simulation } from './simulator.ts'
import { SIMULATED_ASSET } from './simulator.ts'

/** Scored movements in the order they were made: one column per feature, and their labels. */
export type Dataset = { readonly columns: readonly Float32Array[]; readonly labels: Uint8Array }

/** How long a bank takes to hear of a fraud. */
const LABEL_DELAY_MS = 7 * 86_400_000

/** A simulated posting as the entry that the ledger would make of it. */
export const movementFrom = (posting: SimulatedPosting, revision: number) => {
  const side = { amount: posting.amount.toString(), asset: SIMULATED_ASSET }
  return movementOf('main', revision, {
    id: String(revision),
    kind: posting.kind,
    booked_at: posting.at.toISOString(),
    lines: [
      { ...side, account: posting.from, direction: 'debit' },
      { ...side, account: posting.to, direction: 'credit' },
    ],
  })
}

/** Applies the labels, the earliest first, that are recorded by now. */
const hear = (state: FeatureState, waiting: Label[], now: number): void => {
  for (let next = waiting[0]; next && next.at_ms <= now; next = waiting[0]) {
    applyLabel(state, next)
    waiting.shift()
  }
}

/**
 * Runs the simulated postings, and their labels a while later, through the reducer that the scorer
 * uses. Without a delay the labels leak: that is for showing that tests notice.
 */
export const datasetOf = (
  simulation: Pick<Simulation, 'postings'>,
  label_delay_ms = LABEL_DELAY_MS,
): Dataset => {
  const state = initialFeatures()
  const vectors: Float32Array[] = []
  const labels: number[] = []
  const waiting: Label[] = []
  let revision = 0
  for (const posting of simulation.postings) {
    const movement = movementFrom(posting, revision)
    const observation = observationOf(movement)
    hear(state, waiting, observation.at_ms)
    if (movement.scored) {
      vectors.push(features(state, observation))
      labels.push(posting.fraud ? 1 : 0)
    }
    apply(state, observation)
    if (posting.fraud) {
      const { entry } = movement
      waiting.push({ entry, fraud: true, at_ms: observation.at_ms + label_delay_ms })
    }
    revision += 1
  }
  const columns = FEATURE_NAMES.map((_, column) =>
    Float32Array.from(vectors, (vector) => vector[column] as number),
  )
  return { columns, labels: Uint8Array.from(labels) }
}

/** A column with what is in place `first` at its beginning, and what was before that at its end. */
const turn = <Column extends Float32Array | Uint8Array>(column: Column, first: number): Column => {
  const late = column.slice(0, first)
  column.copyWithin(0, first)
  column.set(late, column.length - first)
  return column
}

/** Takes rows one by one and keeps so many, the newest, in columns that threads can share. */
export const keepNewest = (most: number) => {
  const columns = FEATURE_NAMES.map(() => new Float32Array(new SharedArrayBuffer(4 * most)))
  const labels = new Uint8Array(most)
  let taken = 0
  return {
    take: (vector: Float32Array, label: 0 | 1): void => {
      const row = taken % most
      columns.forEach((column, place) => {
        column[row] = vector[place] as number
      })
      labels[row] = label
      taken += 1
    },
    /** In the order in which they were taken. Nothing may be taken afterwards. */
    finish: (): Dataset => {
      if (taken <= most) return slice({ columns, labels }, 0, taken)
      const first = taken % most
      return {
        columns: columns.map((column) => turn(column, first)),
        labels: turn(labels, first),
      }
    },
  }
}

/** The rows from `begin` up to, not including, `end`. */
export const slice = (dataset: Dataset, begin: number, end: number): Dataset => ({
  columns: dataset.columns.map((column) => column.subarray(begin, end)),
  labels: dataset.labels.subarray(begin, end),
})
