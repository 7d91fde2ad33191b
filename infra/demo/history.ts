import { closePeriod, openAccount, openBook, postTransfer } from '../../commands/ledger/index.ts'
import { registerUser } from '../../commands/users.ts'
import type { EventStore } from '../../domain/log.ts'
import { SIMULATED_ASSET, type SimulatedPosting } from '../../ml/simulator.ts'
import { inFlight } from '../import/in_flight.ts'
import type { Ask } from '../seed/ask.ts'
import { accountsOf, type Bank, DEMO_BOOK, EURO } from './bank.ts'
import type { LogIn } from './record.ts'

const IN_FLIGHT = 512
const TOLD_EVERY = 500
const book = DEMO_BOOK

export const openBank = async (ask: Ask, bank: Bank, signal: AbortSignal): Promise<void> => {
  const assets = [SIMULATED_ASSET, EURO]
  await ask('book', openBook, { book, name: 'Daybook demo bank', assets }, bank.from)
  const open = async (account: ReturnType<typeof accountsOf>[number]): Promise<void> => {
    await ask(`account-${account.account}`, openAccount, { book, ...account }, bank.from)
  }
  await inFlight(accountsOf(bank), IN_FLIGHT, open, signal)
}

export const registerAll = async (
  ask: Ask,
  { from }: Bank,
  logIns: readonly LogIn[],
): Promise<void> => {
  const register = ({ role, ...user }: LogIn): Promise<unknown> =>
    ask(`user-${user.user}`, registerUser, { ...user, roles: [role] }, from)
  await Promise.all(logIns.map(register))
}

const monthOf = (at: Date): string => at.toISOString().slice(0, 7)

const lastDayBefore = (at: Date): string =>
  new Date(Date.parse(`${monthOf(at)}-01`) - 1).toISOString().slice(0, 10)

type Happening =
  | { readonly kind: 'posting'; readonly number: number; readonly posting: SimulatedPosting }
  | { readonly kind: 'closing'; readonly through: string; readonly at: Date }

/** Postings, and with the first one of a month the closing of the month before. */
function* happenings({ postings, until }: Bank): Generator<Happening> {
  let month: string | undefined
  let number = 0
  for (const posting of postings) {
    const now = monthOf(posting.at)
    // The month that ended last stays open, so that there is one to close by hand.
    if (month !== undefined && now !== month && now !== monthOf(until)) {
      yield { kind: 'closing', through: lastDayBefore(posting.at), at: posting.at }
    }
    month = now
    number += 1
    yield { kind: 'posting', number, posting }
  }
}

/**
 * The number of the last posting that an interrupted start has left: those before it are there too,
 * because they were appended in their order. 0: there is none.
 */
const lastPosted = async (store: EventStore): Promise<number> => {
  for await (const { metadata } of store.readStream(`book-${book}`, { direction: 'backwards' })) {
    const [, number] = /demo-posting-(\d+)$/.exec(metadata.command ?? '') ?? []
    if (number !== undefined) return Number(number)
  }
  return 0
}

/** Requests are decided in the order in which they are made, so many may be in flight. */
export const liveThrough = async (
  ask: Ask,
  bank: Bank,
  store: EventStore,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  const last = await lastPosted(store)
  const happen = async (happening: Happening): Promise<void> => {
    if (happening.kind === 'closing') {
      const { through, at } = happening
      await ask(`close-${through}`, closePeriod, { book, through }, at)
      return
    }
    const { number, posting } = happening
    if (number < last) return
    const { at, kind, from, to, amount, description } = posting
    const transfer = { book, kind, from, to, amount: amount.toString(), description }
    await ask(`posting-${number}`, postTransfer, transfer, at)
    if (number % TOLD_EVERY === 0) progress(`${number} postings, ${at.toISOString().slice(0, 10)}`)
  }
  await inFlight(happenings(bank), IN_FLIGHT, happen, signal)
}
