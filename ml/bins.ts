/** Values of one feature, row by row, cut into at most 254 quantile bins and one for missing. */
export type Binned = {
  /** Bin k holds the values above `cuts[k - 1]` and at most `cuts[k]`. */
  readonly cuts: Float32Array
  readonly bins: Uint8Array
}

/** All features in bins, twice: each way of reading them is half as fast in the other's order. */
export type Table = {
  readonly width: number
  readonly cuts: readonly Float32Array[]
  /** Row after row: for counting, which reads all bins of a row. */
  readonly rows: Uint8Array
  /** One feature after another: for parting rows, which reads one. */
  readonly columns: readonly Uint8Array[]
}

export const BINS = 256
export const MISSING_BIN = 255
const MOST_VALUE_BINS = 254

/** A float32 from `low` up to, not including, `high`. */
const middle = (low: number, high: number): number => {
  const half = Math.fround(low + (high - low) / 2)
  return half < high ? half : low
}

const distinctOf = (sorted: Float32Array): number => {
  let count = Math.min(1, sorted.length)
  for (let place = 1; place < sorted.length; place += 1) {
    if (sorted[place] !== sorted[place - 1]) count += 1
  }
  return count
}

/** Cuts between neighbouring distinct values: all of them when few, else at equal shares of rows. */
const cutsOf = (column: Float32Array): Float32Array => {
  const sorted = column.filter((value) => !Number.isNaN(value)).sort()
  const cuts: number[] = []
  const share = sorted.length / MOST_VALUE_BINS
  const few = distinctOf(sorted) <= MOST_VALUE_BINS
  let wanted = share
  for (let place = 1; place < sorted.length; place += 1) {
    const [low, high] = [sorted[place - 1] as number, sorted[place] as number]
    if (low === high || !(few || place >= wanted)) continue
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
    if (value <= (cuts[half] as number)) high = half
    else low = half + 1
  }
  return low
}

export const binned = (column: Float32Array): Binned => {
  const cuts = cutsOf(column)
  const bins = new Uint8Array(column.length)
  for (let row = 0; row < bins.length; row += 1) bins[row] = binOf(cuts, column[row] as number)
  return { cuts, bins }
}

/** `progress` hears the share of the columns that is done. */
export const tabulate = (
  columns: readonly Float32Array[],
  progress: (done: number) => void = () => undefined,
): Table => {
  const width = columns.length
  const rows = new Uint8Array((columns[0]?.length ?? 0) * width)
  const found = columns.map((values, column) => {
    const { cuts, bins } = binned(values)
    for (let row = 0; row < bins.length; row += 1) {
      rows[row * width + column] = bins[row] as number
    }
    progress((column + 1) / width)
    return { cuts, bins }
  })
  return {
    width,
    rows,
    cuts: found.map(({ cuts }) => cuts),
    columns: found.map(({ bins }) => bins),
  }
}
