import type { Screening } from '../screening.ts'
import type { Entry, Line } from './events.ts'

/** Who asks: staff may post anywhere, a customer only out of accounts that are his. */
export type Poster = { readonly owner: string | null }

export type Condition = {
  readonly account: string
  readonly field: 'balance' | 'available'
  readonly at_least?: string | undefined
  readonly at_most?: string | undefined
}

/** A posting as it reaches the ledger: complete but for the balances. */
export type Posting = {
  readonly id: string
  readonly at: string
  readonly kind: string
  readonly lines: readonly Pick<Line, 'account' | 'direction' | 'amount'>[]
  readonly value_date?: string | undefined
  readonly description: string
  readonly reference?: string | undefined
  readonly metadata?: Record<string, string> | undefined
  readonly conditions?: readonly Condition[] | undefined
  readonly holds?:
    | readonly { id: string; account: string; amount: string; until: string }[]
    | undefined
  readonly captures?: Entry['captures'] | undefined
  readonly reverses?: string | undefined
  readonly screening?: Screening | undefined
  readonly approved_by?: string | undefined
}
