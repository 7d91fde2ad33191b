const steps = [
  { below: 1000n, permille: 10n },
  { below: 10_000n, permille: 15n },
] as const
const HIGHEST = 20n

/** Thousandths of what was collected that are its collector's; `one` is one of the currency. */
export const commissionRateOf = (amount: bigint, one: bigint): bigint =>
  steps.find(({ below }) => amount < below * one)?.permille ?? HIGHEST
