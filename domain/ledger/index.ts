import type { z } from 'zod'
import { decider } from '../kernel.ts'
import {
  addAsset,
  changeGating,
  changeTerms,
  closeAccount,
  freezeAccount,
  openAccount,
  openBook,
  unfreezeAccount,
} from './accounts.ts'
import { accountOf, applyEntry, applyHold, endHold } from './apply.ts'
import { coverAccount } from './cover.ts'
import { post, postBatch, reverse } from './entries.ts'
import { ledgerEvents, type Terms } from './events.ts'
import { captureHold, expireHolds, placeHold, releaseHold } from './holds.ts'
import { applyPeriodClosed, closePeriod } from './periods.ts'
import { loadBook, saveBook } from './snapshot.ts'
import { type Account, type Book, emptyBook, savepointOf } from './state.ts'
import { approveTransfer, declineTransfer, transfer } from './transfers.ts'

const termsOf = (terms: z.infer<typeof Terms>): Pick<Account, 'overdraft' | 'limits'> => ({
  overdraft: terms.overdraft_limit === 'unlimited' ? null : BigInt(terms.overdraft_limit),
  limits: terms.velocity_limits,
})

/** What has been used of limits that go on under new terms stays used. */
const carryUsage = (account: Account, limits: Account['limits']): Account['usage'] =>
  limits.map(({ window, kind }) => {
    const before = account.limits.findIndex(
      (limit) => limit.window === window && limit.kind === kind,
    )
    return account.usage[before] ?? { window: '', amount: 0n, count: 0 }
  })

const changeAccount = (
  book: Book,
  code: string,
  revision: number,
  change: Partial<Account>,
): Book => {
  book.accounts.set(code, { ...accountOf(book, code), ...change, revision })
  return book
}

/** A ledger with its own stream: every account, entry, hold and closed period in it. */
export const Ledger = decider({
  category: 'book',
  schemas: ledgerEvents,
  initial: emptyBook,
  savepoint: savepointOf,
  snapshot: { version: 3, save: saveBook, load: loadBook },
  evolve: {
    BookOpened: (book, { book: id, assets, time_zone }) => ({
      ...book,
      id,
      assets,
      timeZone: time_zone,
    }),
    AssetAdded: (book, { asset }) => ({ ...book, assets: [...book.assets, asset] }),
    AccountOpened: (book, { account: code, type, asset, name, owner, terms, risk }, revision) => {
      book.accounts.set(code, {
        code,
        type,
        asset,
        name,
        owner,
        status: 'active',
        risk: risk ?? 'none',
        balance: 0n,
        held: 0n,
        openHolds: [],
        coveredBy: null,
        usage: [],
        revision,
        ...termsOf(terms),
      })
      return book
    },
    AccountTermsChanged: (book, { account, terms }, revision) =>
      changeAccount(book, account, revision, {
        ...termsOf(terms),
        usage: carryUsage(accountOf(book, account), terms.velocity_limits),
      }),
    AccountCoverChanged: (book, { account, covered_by }, revision) =>
      changeAccount(book, account, revision, { coveredBy: covered_by }),
    AccountGatingChanged: (book, { account, risk }, revision) =>
      changeAccount(book, account, revision, { risk }),
    AccountFrozen: (book, { account }, revision) =>
      changeAccount(book, account, revision, { status: 'frozen' }),
    AccountUnfrozen: (book, { account }, revision) =>
      changeAccount(book, account, revision, { status: 'active' }),
    AccountClosed: (book, { account }, revision) =>
      changeAccount(book, account, revision, { status: 'closed' }),
    EntryPosted: (book, { entry }) => {
      applyEntry(book, entry)
      return book
    },
    EntriesPosted: (book, { entries }) => {
      for (const entry of entries) applyEntry(book, entry)
      return book
    },
    HoldPlaced: (book, { hold, transfer }) => {
      applyHold(book, hold, transfer)
      return book
    },
    HoldReleased: (book, { hold, amount }) => {
      endHold(book, hold, amount)
      return book
    },
    HoldExpired: (book, { hold, amount }) => {
      endHold(book, hold, amount)
      return book
    },
    // Nothing but a record: no money has moved.
    TransferDeclined: (book) => book,
    PeriodClosed: (book, { through }) => applyPeriodClosed(book, through),
  },
  decide: {
    openBook,
    addAsset,
    openAccount,
    changeTerms,
    changeGating,
    coverAccount,
    freezeAccount,
    unfreezeAccount,
    closeAccount,
    post,
    transfer,
    approveTransfer,
    declineTransfer,
    postBatch,
    reverse,
    placeHold,
    captureHold,
    releaseHold,
    expireHolds,
    closePeriod,
  },
})
