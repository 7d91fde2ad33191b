import {
  CheckDeposit,
  type CheckDepositState,
  type CheckStep,
  type CheckSubmission,
  checkAccounts,
} from '../domain/check_deposits.ts'
import { idFrom } from '../domain/ids.ts'
import { isRefusal, type Refusal } from '../domain/kernel.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import type { Posting } from '../domain/ledger/request.ts'
import { available } from '../domain/ledger/state.ts'
import { openAccounts, type Wanted } from './chart.ts'
import type { Outcome } from './engine.ts'
import type { Enrichment } from './kernel.ts'
import { bookOnce } from './ledger/bookings.ts'
import { bookAsItStands, entryOf } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'

export const lookAtCheck = (ports: Looking, check: string): Promise<CheckDepositState> =>
  lookAt(ports, CheckDeposit, check)

type Booking = Pick<Enrichment, 'ports' | 'context' | 'at'>

const entryIdOf = (check: string, step: CheckStep): string => idFrom(`check ${check} ${step}`)

const kinds = {
  credit: 'deposit_check',
  clearing: 'check_clearing',
  return: 'check_return',
} as const
const titles = {
  credit: 'Check deposit',
  clearing: 'Check cleared',
  return: 'Check returned',
} as const

const postingOf = (
  { check, check_number }: CheckSubmission,
  step: CheckStep,
  { at, lines }: Pick<Posting, 'at' | 'lines'>,
): Posting => ({
  ...{ id: entryIdOf(check, step), at, kind: kinds[step], lines },
  description: `${titles[step]} (${check_number})`,
  metadata: {
    ...{ check_deposit: check, check_number },
    ...(step === 'return' && { returns: entryIdOf(check, 'credit') }),
  },
})

/** The account that a step is the first to need. */
const accountFor = (submission: CheckSubmission, step: CheckStep): Wanted => {
  const { clearing, settlement, owed } = checkAccounts(submission)
  const own = { type: 'asset', overdraft_limit: 'unlimited' } as const
  const accounts: Readonly<Record<CheckStep, Wanted>> = {
    credit: { ...own, account: clearing, name: 'Checks on their way' },
    clearing: { ...own, account: settlement, name: 'Settlement with other banks' },
    return: { ...own, account: owed, name: 'Owed of returned checks', overdraft_limit: '0' },
  }
  return accounts[step]
}

type Tried = { readonly key: string; readonly dryRun: boolean }

const post = (enrichment: Booking, { book }: CheckSubmission, posting: Posting, tried: Tried) =>
  bookOnce(
    enrichment,
    { book, key: tried.key, causation: 'check_deposits.book', posting },
    tried.dryRun,
  )

/**
 * The account gives back what it has, and its owner owes the rest. Where the ledger lets nothing
 * leave it (it is frozen, or was emptied in this moment), he owes all of it: a check that was
 * returned is money that the bank has not got, whatever the account says.
 */
const takeBack = async (
  enrichment: Booking,
  submission: CheckSubmission,
  tried: Tried,
): Promise<Outcome | Refusal> => {
  const { book, account, amount } = submission
  const { clearing, owed } = checkAccounts(submission)
  const { state } = await bookAsItStands(enrichment.ports, book)
  const known = state.accounts.get(account)
  const there = known ? available(known) : 0n
  const wanted = BigInt(amount)
  const given = there < 0n ? 0n : there < wanted ? there : wanted
  const debits = [
    { account, direction: 'debit', amount: given.toString() },
    { account: owed, direction: 'debit', amount: (wanted - given).toString() },
  ] as const
  const lines = [
    ...debits.filter((line) => line.amount !== '0'),
    { account: clearing, direction: 'credit', amount } as const,
  ]
  const asked = postingOf(submission, 'return', { at: enrichment.at, lines })
  const booked = given > 0n ? await post(enrichment, submission, asked, tried) : undefined
  if (booked && !isRefusal(booked)) return booked
  const whole = { at: enrichment.at, lines: pairOf(owed, clearing, amount) }
  return post(enrichment, submission, postingOf(submission, 'return', whole), tried)
}

const bookLines = (
  enrichment: Booking,
  submission: CheckSubmission,
  step: CheckStep,
  tried: Tried,
): Promise<Outcome | Refusal> => {
  if (step === 'return') return takeBack(enrichment, submission, tried)
  const { account, amount } = submission
  const { clearing, settlement } = checkAccounts(submission)
  const lines =
    step === 'credit' ? pairOf(clearing, account, amount) : pairOf(settlement, clearing, amount)
  const posting = postingOf(submission, step, { at: enrichment.at, lines })
  return post(enrichment, submission, posting, tried)
}

const owedIn = (submission: CheckSubmission, { events }: Outcome): string | null => {
  const { owed } = checkAccounts(submission)
  return entryOf(events).lines.find(({ account }) => account === owed)?.amount ?? null
}

export type CheckBooked = Parameters<typeof CheckDeposit.decide.book>[1]

/** Asks the ledger for the entry of a step. A dry run only says whether it could be booked. */
export const bookCheckStep = async (
  enrichment: Booking,
  submission: CheckSubmission,
  step: CheckStep,
  dryRun: boolean,
): Promise<CheckBooked | Refusal> => {
  const { check, book, asset } = submission
  const { at } = enrichment
  const wanted = [accountFor(submission, step)]
  const opened = await openAccounts(enrichment, book, { wanted, asset, at })
  if (isRefusal(opened)) return opened
  const key = `check_deposit:${check}:${step}`
  const booked = await bookLines(enrichment, submission, step, { key, dryRun })
  if (isRefusal(booked)) return booked
  const entry = entryIdOf(check, step)
  return { check, step, entry, owed: owedIn(submission, booked), booked_at: at }
}

/** What comes of booking a step now; nothing is booked. */
export const tryCheckStep = async (
  enrichment: Booking,
  check: string,
  step: CheckStep,
): Promise<Refusal | undefined> => {
  const { status, submission } = await lookAtCheck(enrichment.ports, check)
  const from = step === 'credit' ? 'pending' : 'approved'
  if (!submission || status !== from) return undefined
  const tried = await bookCheckStep(enrichment, submission, step, true)
  return isRefusal(tried) ? tried : undefined
}
