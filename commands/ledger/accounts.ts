import type { z } from 'zod'
import type { ledgerEvents } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import { command } from '../kernel.ts'
import {
  AddAsset,
  ChangeGating,
  ChangeStatus,
  ChangeTerms,
  OpenAccount,
  OpenBook,
} from './inputs.ts'
import { bookCommand, dataOf } from './kernel.ts'

type Data<Type extends keyof typeof ledgerEvents> = z.infer<(typeof ledgerEvents)[Type]>

export const openBook = command({
  name: 'books.open',
  permission: 'books:open',
  input: OpenBook,
  decider: Ledger,
  stream: ({ book }) => book,
  on: 'new',
  otherwise: 'BOOK_EXISTS',
  ifMatch: 'stream',
  enrich: (input, { at }) => ({ ...input, opened_at: at }),
  decide: Ledger.decide.openBook,
  answer: (events) => dataOf<Data<'BookOpened'>>(events, 'BookOpened'),
})

export const addAsset = bookCommand({
  name: 'books.add_asset',
  permission: 'books:open',
  input: AddAsset,
  enrich: ({ asset }) => ({ asset }),
  decide: Ledger.decide.addAsset,
  answer: (_events, { book, asset }) => ({ book, asset }),
})

const growsFreely = new Set(['equity', 'income', 'expense'])

export const openAccount = bookCommand({
  name: 'accounts.open',
  permission: 'accounts:open',
  input: OpenAccount,
  enrich: ({ book: _book, overdraft_limit, velocity_limits, ...account }, { at }) => ({
    ...account,
    terms: {
      overdraft_limit: overdraft_limit ?? (growsFreely.has(account.type) ? 'unlimited' : '0'),
      velocity_limits,
    },
    opened_at: at,
  }),
  decide: Ledger.decide.openAccount,
  answer: (events, { book }) => ({
    book,
    ...dataOf<Data<'AccountOpened'>>(events, 'AccountOpened'),
  }),
})

export const changeTerms = bookCommand({
  name: 'accounts.change_terms',
  permission: 'accounts:manage',
  input: ChangeTerms,
  enrich: ({ account, overdraft_limit, velocity_limits }, { context }) => ({
    account,
    revision: context.ifMatch,
    terms: { overdraft_limit, velocity_limits },
  }),
  decide: Ledger.decide.changeTerms,
  answer: (events, { book }) => ({
    book,
    ...dataOf<Data<'AccountTermsChanged'>>(events, 'AccountTermsChanged'),
  }),
})

/** Whether what the account's owner transfers passes the risk gate. */
export const changeGating = bookCommand({
  name: 'accounts.change_gating',
  permission: 'accounts:manage',
  input: ChangeGating,
  enrich: ({ account, risk }, { context }) => ({ account, risk, revision: context.ifMatch }),
  decide: Ledger.decide.changeGating,
  answer: (_events, { book, account, risk }) => ({ book, account, risk }),
})

const statusCommand = (
  name: string,
  decide: typeof Ledger.decide.freezeAccount,
  status: 'frozen' | 'active' | 'closed',
) =>
  bookCommand({
    name,
    permission: 'accounts:manage',
    input: ChangeStatus,
    enrich: ({ account, reason }, { context }) => ({ account, reason, revision: context.ifMatch }),
    decide,
    answer: (_events, { book, account }) => ({ book, account, status }),
  })

export const freezeAccount = statusCommand('accounts.freeze', Ledger.decide.freezeAccount, 'frozen')
export const unfreezeAccount = statusCommand(
  'accounts.unfreeze',
  Ledger.decide.unfreezeAccount,
  'active',
)
export const closeAccount = statusCommand('accounts.close', Ledger.decide.closeAccount, 'closed')
