import type { BoostSettings } from './boosting.ts'
import { boost } from './boosting.ts'
import { fork, index } from './random.ts'
import type { Forest } from './trees.ts'
import { margin, sigmoid } from './trees.ts'

/** A table to learn from: one column per feature, NaN where missing, and a label per row. */
export type Labelled = { readonly columns: readonly Float32Array[]; readonly labels: Uint8Array }

/** The number of the fold that each row falls into; each fold gets its share of both labels. */
export const stratifiedFolds = (labels: Uint8Array, folds: number, seed: number): Uint8Array => {
  const found = new Uint8Array(labels.length)
  let dealt = 0
  for (const label of [0, 1]) {
    const rows = Array.from(labels.keys()).filter((row) => labels[row] === label)
    const next = fork(seed, label)
    // Fisher and Yates, dealing out each card as it is drawn.
    for (let left = rows.length; left > 0; left -= 1) {
      const drawn = index(next, left)
      found[rows[drawn] as number] = dealt % folds
      rows[drawn] = rows[left - 1] as number
      dealt += 1
    }
  }
  return found
}

/** These rows of a table, in this order. */
const chooseRows = ({ columns, labels }: Labelled, rows: readonly number[]): Labelled => ({
  columns: columns.map((column) => Float32Array.from(rows, (row) => column[row] as number)),
  labels: Uint8Array.from(rows, (row) => labels[row] as number),
})

/** The table without a fold, the fold itself, and the numbers of the rows in it. */
export const partAt = (table: Labelled, folds: Uint8Array, fold: number) => {
  const rows = Array.from(folds.keys())
  const within = rows.filter((row) => folds[row] === fold)
  const without = rows.filter((row) => folds[row] !== fold)
  return { training: chooseRows(table, without), testing: chooseRows(table, within), within }
}

/** Probabilities by our own walk through the trees. */
export const scoreAll = (forest: Forest, { columns, labels }: Labelled): Float32Array => {
  const vector = new Float32Array(columns.length)
  return Float32Array.from(labels, (_, row) => {
    for (let place = 0; place < columns.length; place += 1) {
      vector[place] = columns[place]?.[row] as number
    }
    return sigmoid(margin(forest, vector))
  })
}

/** A score for every row by a forest that never saw its fold. `progress` hears 0 to 1. */
export const outOfFold = (
  table: Labelled,
  folds: Uint8Array,
  settings: BoostSettings,
  progress: (done: number) => void = () => undefined,
): Float32Array => {
  const scores = new Float32Array(table.labels.length)
  const count = Math.max(...folds) + 1
  for (let fold = 0; fold < count; fold += 1) {
    const { training, testing, within } = partAt(table, folds, fold)
    const forest = boost(training.columns, training.labels, settings)
    scoreAll(forest, testing).forEach((score, place) => {
      scores[within[place] as number] = score
    })
    progress((fold + 1) / count)
  }
  return scores
}
