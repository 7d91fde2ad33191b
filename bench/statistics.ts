/** The value below which `share` (0 to 1) of the numbers lie, by nearest rank; NaN for none. */
export const percentile = (values: Iterable<number>, share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Nearest rank, so that it is always a value that was measured. */
export const median = (values: Iterable<number>): number => percentile(values, 0.5)
