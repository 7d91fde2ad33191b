import { fork } from './random.ts'

export type Sampled = {
  readonly columns: readonly Float32Array[]
  readonly labels: Uint8Array
  /** The share of the negatives that was kept. */
  readonly rate: number
}

/** Its own source of chance, apart from those of the trees. */
const SAMPLING = -1

/** Which rows stay: all positives, and exactly `wanted` negatives, each as likely (Knuth's S). */
const rowsKept = (labels: Uint8Array, wanted: number, seed: number): Int32Array => {
  const next = fork(seed, SAMPLING)
  let [left, needed] = [labels.reduce((sum, label) => sum + 1 - label, 0), wanted]
  const kept = new Int32Array(labels.length - left + wanted)
  let place = 0
  labels.forEach((label, row) => {
    if (label === 0) {
      const stays = next() * left < needed
      left -= 1
      if (!stays) return
      needed -= 1
    }
    kept[place] = row
    place += 1
  })
  return kept
}

/** Leaves out negatives, so that rare positives are learnt from a fraction of the work. */
export const keepNegatives = (
  columns: readonly Float32Array[],
  labels: Uint8Array,
  share: number,
  seed: number,
): Sampled => {
  const whole = columns.map((column) => column.subarray(0, labels.length))
  if (share === 1) return { columns: whole, labels, rate: 1 }
  const negatives = labels.reduce((sum, label) => sum + 1 - label, 0)
  const wanted = Math.max(1, Math.round(negatives * share))
  const kept = rowsKept(labels, wanted, seed)
  const chosen = (column: Float32Array): Float32Array => {
    const values = new Float32Array(kept.length)
    for (let place = 0; place < kept.length; place += 1) {
      values[place] = column[kept[place] as number] as number
    }
    return values
  }
  return {
    columns: whole.map(chosen),
    labels: Uint8Array.from(kept, (row) => labels[row] as number),
    rate: wanted / negatives,
  }
}
