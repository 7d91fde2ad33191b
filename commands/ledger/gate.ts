import type { Gating, Screening } from '../../domain/screening.ts'
import type { Enrichment } from '../kernel.ts'
import { bookAsItStands } from './kernel.ts'

/** A transfer on its way to the ledger, as far as the gate looks at it. */
export type Gated = {
  readonly book: string
  readonly from: string
  readonly to: string
  readonly amount: string
  readonly kind: string
  readonly metadata?: Record<string, string> | undefined
  /** Asked for by the request itself; absent: where the account says so. */
  readonly risk?: Gating | undefined
}

/**
 * What the risk gate says of a transfer; undefined where nobody asks it, or where the account does
 * not exist, which the ledger says better. It always answers in time.
 */
export const screeningOf = async (
  enrichment: Enrichment,
  asked: Gated,
): Promise<Screening | undefined> => {
  const { state } = await bookAsItStands(enrichment.ports, asked.book)
  const account = state.accounts.get(asked.from)
  if (!account || (asked.risk !== 'gate' && account.risk !== 'gate')) return undefined
  const { book, from, to, amount, kind, metadata } = asked
  return enrichment.ports.gate.screen({
    ...{ book, entry: enrichment.newId(), kind, amount, asset: account.asset, metadata },
    ...{ account: from, counterparty: to, at: enrichment.at },
  })
}
