import type { Posting } from './request.ts'

/** The two lines of an amount (minor units) that is debited to one account, credited to another. */
export const pairOf = (debit: string, credit: string, amount: string): Posting['lines'] => [
  { account: debit, direction: 'debit', amount },
  { account: credit, direction: 'credit', amount },
]
