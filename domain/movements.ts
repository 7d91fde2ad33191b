import { accountNumberOf, maskAccountNumber } from './deposits.ts'

/** One line of a customer's account, as far as it takes to say what it was. */
export type Movement = {
  readonly kind: string
  readonly direction: 'debit' | 'credit'
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
}

const masked = (account: string | undefined): string =>
  account === undefined ? 'another account' : maskAccountNumber(accountNumberOf(account))

/**
 * What a movement is called on paper and on a screen, from the owner's side. A withdrawal that
 * money came in by was made up for by another account (overdraft protection), or made up for one.
 */
export const describeMovement = ({ kind, direction, description, metadata }: Movement): string => {
  if (kind === 'transfer') {
    return direction === 'debit'
      ? `Transfer to ${masked(metadata.to)}`
      : `Transfer from ${masked(metadata.from)}`
  }
  if (kind === 'withdrawal' && direction === 'credit') return 'Overdraft protection transfer'
  return description
}

/** What a movement counts as in a statement's totals. */
export const totalOf = ({ kind, direction }: Pick<Movement, 'kind' | 'direction'>): string => {
  if (kind.startsWith('deposit')) return 'deposits'
  if (kind === 'withdrawal' && direction === 'debit') return 'withdrawals'
  if (kind === 'transfer' || kind === 'withdrawal') {
    return direction === 'debit' ? 'transfers out' : 'transfers in'
  }
  return direction === 'debit' ? 'other debits' : 'other credits'
}
