import type { Line } from './events.ts'

/** The assets whose debits and credits differ, with debits minus credits. Empty: balanced. */
export const imbalanceOf = (
  lines: readonly Pick<Line, 'asset' | 'direction' | 'amount'>[],
): ReadonlyMap<string, bigint> => {
  const sums = new Map<string, bigint>()
  for (const line of lines) {
    const amount = BigInt(line.amount)
    const signed = line.direction === 'debit' ? amount : -amount
    sums.set(line.asset, (sums.get(line.asset) ?? 0n) + signed)
  }
  for (const [asset, sum] of sums) if (sum === 0n) sums.delete(asset)
  return sums
}
