import type { z } from 'zod'
import { isTimeZone } from '../calendar.ts'
import { type Decision, isRefusal, type Refusal, refuse } from '../kernel.ts'
import type { Gating } from '../screening.ts'
import type { LedgerEvent, ledgerEvents, Terms } from './events.ts'
import type { Account, Book } from './state.ts'

type Data<Type extends keyof typeof ledgerEvents> = z.infer<(typeof ledgerEvents)[Type]>

export const openBook = (book: Book, data: Data<'BookOpened'>): Decision<LedgerEvent> => {
  if (book.id !== '') return refuse('BOOK_EXISTS', `There is a book ${book.id} already.`)
  if (!isTimeZone(data.time_zone)) {
    return refuse('TIME_ZONE_UNKNOWN', `${data.time_zone} is no time zone.`, { field: 'time_zone' })
  }
  return [{ type: 'BookOpened', data }]
}

export const addAsset = (book: Book, { asset }: Data<'AssetAdded'>): Decision<LedgerEvent> =>
  book.assets.includes(asset) ? [] : [{ type: 'AssetAdded', data: { asset } }]

export const openAccount = (book: Book, data: Data<'AccountOpened'>): Decision<LedgerEvent> => {
  if (book.accounts.get(data.account)) {
    return refuse('ACCOUNT_EXISTS', `There is an account ${data.account} already.`, {
      account: data.account,
    })
  }
  if (!book.assets.includes(data.asset)) {
    return refuse('ASSET_UNKNOWN', `The book keeps ${book.assets.join(', ')}, not ${data.asset}.`, {
      field: 'asset',
    })
  }
  return [{ type: 'AccountOpened', data }]
}

export type AccountCommand = {
  readonly account: string
  /** The revision the client saw, from its If-Match; absent: whatever it is. */
  readonly revision?: number | undefined
}

export const findAccount = (book: Book, command: AccountCommand): Account | Refusal => {
  const account = book.accounts.get(command.account)
  if (!account) {
    return refuse('ACCOUNT_NOT_FOUND', `There is no account ${command.account}.`, {
      account: command.account,
    })
  }
  if (command.revision !== undefined && command.revision !== account.revision) {
    return refuse(
      'REVISION_MISMATCH',
      `Account ${account.code} is at revision ${account.revision}, not ${command.revision}.`,
      { revision: account.revision },
    )
  }
  if (account.status === 'closed') {
    return refuse('ACCOUNT_CLOSED', `Account ${account.code} is closed.`, { account: account.code })
  }
  return account
}

export const changeTerms = (
  book: Book,
  command: AccountCommand & { readonly terms: z.infer<typeof Terms> },
): Decision<LedgerEvent> => {
  const account = findAccount(book, command)
  if (isRefusal(account)) return account
  return [{ type: 'AccountTermsChanged', data: { account: account.code, terms: command.terms } }]
}

export const changeGating = (
  book: Book,
  command: AccountCommand & { readonly risk: Gating },
): Decision<LedgerEvent> => {
  const account = findAccount(book, command)
  if (isRefusal(account)) return account
  if (account.risk === command.risk) return []
  return [{ type: 'AccountGatingChanged', data: { account: account.code, risk: command.risk } }]
}

type StatusCommand = AccountCommand & { readonly reason: string }

export const freezeAccount = (book: Book, command: StatusCommand): Decision<LedgerEvent> => {
  const account = findAccount(book, command)
  if (isRefusal(account)) return account
  if (account.status === 'frozen') {
    return refuse('ACCOUNT_FROZEN', `Account ${account.code} is frozen already.`)
  }
  return [{ type: 'AccountFrozen', data: { account: account.code, reason: command.reason } }]
}

export const unfreezeAccount = (book: Book, command: StatusCommand): Decision<LedgerEvent> => {
  const account = findAccount(book, command)
  if (isRefusal(account)) return account
  if (account.status !== 'frozen') {
    return refuse('ACCOUNT_NOT_FROZEN', `Account ${account.code} is ${account.status}.`)
  }
  return [{ type: 'AccountUnfrozen', data: { account: account.code, reason: command.reason } }]
}

export const closeAccount = (book: Book, command: StatusCommand): Decision<LedgerEvent> => {
  const account = findAccount(book, command)
  if (isRefusal(account)) return account
  if (account.balance !== 0n || account.openHolds.length > 0) {
    return refuse(
      'ACCOUNT_NOT_EMPTY',
      `Account ${account.code} stands at ${account.balance} with ${account.openHolds.length} holds.`,
      { balance: account.balance.toString(), open_holds: account.openHolds.length },
    )
  }
  return [{ type: 'AccountClosed', data: { account: account.code, reason: command.reason } }]
}
