import { openingEquityOf } from '../domain/deposits.ts'
import { type Decision, isRefusal, type Refusal } from '../domain/kernel.ts'
import type { AccountType, LedgerEvent } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Book } from '../domain/ledger/state.ts'
import type { Outcome } from './engine.ts'
import { type Enrichment, submitStep } from './kernel.ts'

/** An account of the bank's own. */
export type Wanted = {
  readonly account: string
  readonly type: AccountType
  readonly name: string
  /** Minor units, or `unlimited`. */
  readonly overdraft_limit: string
}

/** What balances are brought forward against. */
export const openingEquity = (asset: string): Wanted => ({
  account: openingEquityOf(asset),
  type: 'equity',
  name: 'Opening balances',
  overdraft_limit: 'unlimited',
})

type Chart = { readonly wanted: readonly Wanted[]; readonly asset: string; readonly at: string }

/** Opens those of a chart's accounts that are not there yet. */
export const openMissing = (book: Book, { wanted, asset, at }: Chart): Decision<LedgerEvent> => {
  const events: LedgerEvent[] = []
  for (const { account, type, name, overdraft_limit } of wanted) {
    if (book.accounts.get(account)) continue
    const decision = Ledger.decide.openAccount(book, {
      ...{ account, type, name, asset, owner: null, opened_at: at },
      terms: { overdraft_limit, velocity_limits: [] },
    })
    if (isRefusal(decision)) return decision
    events.push(...decision)
  }
  return events
}

/** The same as a step of a larger request, ahead of an entry on them. */
export const openAccounts = (
  { ports, context }: Pick<Enrichment, 'ports' | 'context'>,
  book: string,
  chart: Chart,
): Promise<Outcome | Refusal> => {
  const step = { name: 'chart.open', decider: Ledger, stream: book } as const
  const existing = { on: 'existing', otherwise: 'BOOK_NOT_FOUND' } as const
  const decide = (state: Book) => openMissing(state, chart)
  return submitStep(ports, { ...step, ...existing, decide }, context)
}
