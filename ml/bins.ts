/** Values of one feature, row by row, cut into at most 254 quantile bins and one for missing. */
export type Binned = {
  /** Bin k holds the values above `cuts[k - 1]` and at most `cuts[k]`. */
  readonly cuts: Float32Array
  readonly bins: Uint8Array
}

export const BINS = 256
export const MISSING_BIN = 255
const MOST_VALUE_BINS = 254

/** A float32 from `low` up to, not including, `high`. */
const middle = (low: number, high: number): number => {
  const half = Math.fround(low + (high - low) / 2)
  return half < high ? half : low
}

/** Cuts between neighbouring distinct values: all of them when few, else at equal shares of rows. */
const cutsOf = (column: Float32Array): Float32Array => {
  const sorted = column.filter((value) => !Number.isNaN(value)).sort()
  const cuts: number[] = []
  const share = sorted.length / MOST_VALUE_BINS
  const distinct = new Set(sorted).size
  let wanted = share
  for (let place = 1; place < sorted.length; place += 1) {
    const [low, high] = [sorted[place - 1] ?? 0, sorted[place] ?? 0]
    if (low === high || (distinct > MOST_VALUE_BINS && place < wanted)) continue
    cuts.push(middle(low, high))
    while (wanted <= place) wanted += share
  }
  return Float32Array.from(cuts)
}

const binOf = (cuts: Float32Array, value: number): number => {
  if (Number.isNaN(value)) return MISSING_BIN
  let [low, high] = [0, cuts.length]
  while (low < high) {
    const half = (low + high) >> 1
    if (value <= (cuts[half] ?? 0)) high = half
    else low = half + 1
  }
  return low
}

export const binned = (column: Float32Array): Binned => {
  const cuts = cutsOf(column)
  return { cuts, bins: Uint8Array.from(column, (value) => binOf(cuts, value)) }
}
