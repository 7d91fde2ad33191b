/** What the ledger's specs share: a small bank, and short ways to say what is posted in it. */
import { type AnyEvent, fold, isRefusal } from '../../domain/kernel.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { Poster, Posting } from '../../domain/ledger/request.ts'
import { spec } from './spec.ts'

type Decide = typeof Ledger.decide
type Name = keyof Decide
type Of<Command extends Name> = [Command, Parameters<Decide[Command]>[1]]
export type Asked = { [Command in Name]: Of<Command> }[Name]

export const NOON = '2026-03-10T12:00:00.000Z'
export const staff: Poster = { owner: null }
export const ada: Poster = { owner: 'ada' }

/** The events of commands decided one upon another. Fails when one of them is refused. */
export const play = (...asked: readonly Asked[]): AnyEvent[] => playOn([], ...asked)

/** As `play`, on a history. Gives that history and what followed. */
export const playOn = (history: readonly AnyEvent[], ...asked: readonly Asked[]): AnyEvent[] => {
  const events = [...history]
  let book = events.reduce(
    (state, event, index) => fold(Ledger, state, event, index),
    Ledger.initial(),
  )
  for (const [name, command] of asked) {
    const decide = Ledger.decide[name] as (
      state: unknown,
      command: unknown,
    ) => ReturnType<Decide[Name]>
    const decision = decide(book, command)
    if (isRefusal(decision)) throw new Error(`${name}: ${decision.refused}: ${decision.detail}`)
    for (const event of decision) {
      book = fold(Ledger, book, event, events.length)
      events.push(event)
    }
  }
  return events
}

export const book = (details: { time_zone?: string; assets?: string[] } = {}): Of<'openBook'> => [
  'openBook',
  {
    book: 'main',
    name: 'Main',
    assets: details.assets ?? ['USD/2', 'KES/2'],
    time_zone: details.time_zone ?? 'UTC',
    opened_at: NOON,
  },
]

type AccountDetails = Partial<Parameters<Decide['openAccount']>[1]> & {
  readonly overdraft?: string
  readonly limits?: Parameters<Decide['openAccount']>[1]['terms']['velocity_limits']
}

export const account = (code: string, details: AccountDetails = {}): Of<'openAccount'> => {
  const { overdraft = '0', limits = [], ...rest } = details
  return [
    'openAccount',
    {
      account: code,
      type: 'liability',
      asset: 'USD/2',
      name: code,
      owner: null,
      terms: { overdraft_limit: overdraft, velocity_limits: limits },
      opened_at: NOON,
      ...rest,
    },
  ]
}

let lastId = 0
export const newId = (): string => {
  lastId += 1
  return `id-${lastId}`
}

/** `from` is debited, `to` is credited. */
export const posting = (
  from: string,
  to: string,
  amount: string,
  more: Partial<Posting> = {},
): Posting => ({
  id: newId(),
  at: NOON,
  kind: 'transfer',
  description: '',
  lines: [
    { account: from, direction: 'debit', amount },
    { account: to, direction: 'credit', amount },
  ],
  ...more,
})

export const transfer = (
  from: string,
  to: string,
  amount: string,
  more: Partial<Posting> = {},
  poster: Poster = staff,
): Of<'post'> => ['post', { posting: posting(from, to, amount, more), poster }]

export const hold = (
  id: string,
  code: string,
  amount: string,
  expires_at: string | null = null,
): Of<'placeHold'> => [
  'placeHold',
  {
    hold: { id, account: code, amount, kind: 'authorisation', description: '', expires_at },
    at: NOON,
  },
]

/** A book with cash, two customers (Ada has 100.00) and fees. */
export const bank = (details: AccountDetails = {}): AnyEvent[] =>
  play(
    book(),
    account('cash', { type: 'asset' }),
    account('income:fees', { type: 'income', overdraft: 'unlimited' }),
    account('customers:ada', { owner: 'ada', ...details }),
    account('customers:bob', { owner: 'bob' }),
    transfer('cash', 'customers:ada', '10000', { kind: 'deposit' }),
  )

/** What an account stands at after these events. */
export const accountAfter = (events: readonly AnyEvent[], code: string) => {
  const found = spec(Ledger).given(events).state.accounts.get(code)
  if (!found) throw new Error(`no account ${code}`)
  return found
}

export const given = (...history: readonly (AnyEvent | readonly AnyEvent[])[]) =>
  spec(Ledger).given(...history)
