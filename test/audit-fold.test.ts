import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../domain/kernel.ts'
import { type Entry, entriesOf, type LedgerEvent } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Book } from '../domain/ledger/state.ts'
import type { EventStore, Recorded } from '../domain/log.ts'
import { bookOfStream, type FoldedBooks, foldEvent, totalsByAsset } from '../infra/audit/fold.ts'
import { readPages } from '../infra/audit/pages.ts'
import { project } from '../projections/kernel.ts'
import { accountBook, holdBook, journal } from '../projections/ledger/index.ts'
import type { Changes, Row } from '../projections/rows.ts'

const opened = '2026-01-01T00:00:00.000Z'
const codes = ['cash', 'loans', 'a', 'b', 'c']
const staff = { owner: null }

const foundations: LedgerEvent[] = [
  {
    type: 'BookOpened',
    data: { book: 'main', name: '', assets: ['USD/2'], time_zone: 'UTC', opened_at: opened },
  },
  ...codes.map((account, index): LedgerEvent => {
    const isOurs = index < 2
    const terms = { overdraft_limit: isOurs ? 'unlimited' : '500', velocity_limits: [] } as const
    const type = isOurs ? 'asset' : 'liability'
    const about = { account, type, asset: 'USD/2', name: account, owner: null } as const
    return {
      type: 'AccountOpened',
      data: { ...about, terms: { ...terms, velocity_limits: [] }, opened_at: opened },
    }
  }),
]

/** One wish of a generated history; many will be refused, as wishes are. */
const wish = fc.record({
  what: fc.constantFrom(
    'post',
    'post',
    'batch',
    'reverse',
    'hold',
    'capture',
    'release',
    'freeze',
    'close',
  ),
  from: fc.constantFrom(...codes),
  to: fc.constantFrom(...codes),
  amount: fc.integer({ min: 1, max: 90 }).map(String),
  pick: fc.nat({ max: 50 }),
  flag: fc.boolean(),
})
type Wish = typeof wish extends fc.Arbitrary<infer Value> ? Value : never

type Happening = { book: Book; readonly history: Recorded[] }

const happen = (happening: Happening, events: readonly LedgerEvent[]): void => {
  const { history } = happening
  for (const { type, data } of events) {
    const revision = history.length
    const position = { commit: BigInt(revision + 1), prepare: BigInt(revision + 1) }
    // Through JSON, as through the log.
    const event = { type, data: JSON.parse(JSON.stringify(data)) } as LedgerEvent
    happening.book = Ledger.evolve[event.type](happening.book, event.data as never, revision)
    const about = { id: '', stream: 'book-main', metadata: {}, recordedAt: new Date(opened) }
    history.push({ ...about, ...event, revision, position })
  }
}

const postedIn = (history: readonly Recorded[]): Entry[] =>
  history.flatMap(({ type, data }) => [...entriesOf({ type, data: data as object })])

const decideHold = (
  book: Book,
  { what, from, to, amount, pick, flag }: Wish,
  id: string,
  at: string,
) => {
  const open = [...book.holds.rows.keys()]
  const hold = open[pick % Math.max(open.length, 1)] ?? 'none'
  if (what === 'release') return Ledger.decide.releaseHold(book, { hold, at })
  if (what === 'capture') {
    const some = { hold, to, amount: '1', closes: flag, id, at, poster: staff }
    return Ledger.decide.captureHold(book, some)
  }
  const expires_at = later(at, pick)
  const about = { id: `h${id}`, kind: 'authorisation' as const, description: '' }
  return Ledger.decide.placeHold(book, {
    hold: { ...about, account: from, amount, expires_at },
    at,
  })
}

const later = (at: string, hours: number): string =>
  new Date(Date.parse(at) + hours * 3_600_000 + 1).toISOString()

const decideWish = ({ book, history }: Happening, wish: Wish, index: number) => {
  const { what, from, to, amount, pick, flag } = wish
  const id = `e${index}`
  const at = new Date(Date.parse(opened) + index * 7_200_000).toISOString()
  const lines = [
    { account: from, direction: 'debit' as const, amount },
    { account: to, direction: 'credit' as const, amount },
  ]
  const posting = { id, at, kind: 'transfer', lines, description: '' }
  switch (what) {
    case 'post': {
      const holds = flag ? [{ id: `h${id}`, account: to, amount: '1', until: later(at, pick) }] : []
      return Ledger.decide.post(book, { posting: { ...posting, holds }, poster: staff })
    }
    case 'batch': {
      const postings = [posting, { ...posting, id: `${id}-2` }]
      return Ledger.decide.postBatch(book, { postings, poster: staff })
    }
    case 'reverse': {
      const posted = postedIn(history)
      const original = posted[pick % Math.max(posted.length, 1)]
      return original ? Ledger.decide.reverse(book, { original, id, at, poster: staff }) : []
    }
    case 'freeze': {
      const decide = pick === 0 ? Ledger.decide.freezeAccount : Ledger.decide.unfreezeAccount
      return decide(book, { account: to, reason: 'r' })
    }
    case 'close': {
      const through = later(at, -24).slice(0, 10)
      return Ledger.decide.closePeriod(book, { through, at })
    }
    default:
      return decideHold(book, wish, id, at)
  }
}

/** Decides the wishes one after another and answers what happened, as it would lie in the log. */
const historyOf = (wishes: readonly Wish[]): Recorded[] => {
  const happening: Happening = { book: Ledger.initial(), history: [] }
  happen(happening, foundations)
  for (const [index, wish] of wishes.entries()) {
    const decision = decideWish(happening, wish, index)
    if (!isRefusal(decision)) happen(happening, decision)
  }
  return happening.history
}

/** The rows of one table after a history projected as one batch. */
const rowsIn = (changes: Changes, table: string): Row[] => {
  for (const [{ name }, rows] of changes) {
    if (name === table) return [...rows.values()].map(({ row }) => row)
  }
  return []
}

describe('the fold of the log', () => {
  it('comes to what the projections come to, whatever happened', () => {
    let entries = 0
    fc.assert(
      fc.property(fc.array(wish, { minLength: 10, maxLength: 60, size: 'max' }), (wishes) => {
        const history = historyOf(wishes)
        const folded: FoldedBooks = new Map()
        for (const event of history) foldEvent(folded, event)
        const state = folded.get('main')?.state ?? Ledger.initial()

        const accounts = rowsIn(project(accountBook, history).changes, 'accounts')
        const holds = rowsIn(project(holdBook, history).changes, 'holds')
        const lines = rowsIn(project(journal, history).changes, 'entry_lines')
        const open = holds.filter(({ status }) => status === 'open')
        entries += lines.length

        expect(accounts.map(({ account, balance, status }) => [account, balance, status])).toEqual(
          codes.map((code) => {
            const account = state.accounts.get(code)
            return [code, account?.balance.toString(), account?.status]
          }),
        )
        for (const code of codes) {
          const mine = lines.filter(({ account }) => account === code)
          const balance = state.accounts.get(code)?.balance.toString()
          expect(mine.at(-1)?.balance ?? '0').toBe(balance)
          const held = open.filter(({ account }) => account === code)
          const left = held.reduce((sum, hold) => sum + BigInt(String(hold.left_amount)), 0n)
          expect(state.accounts.get(code)?.held).toBe(left)
        }
        expect(open.map(({ hold, left_amount }) => [hold, left_amount])).toEqual(
          [...state.holds.rows.values()].map(({ id, left }) => [id, left.toString()]),
        )
        for (const { debit, credit } of totalsByAsset(state.accounts.rows.values())) {
          expect(debit).toBe(credit)
        }
      }),
      { numRuns: 150 },
    )
    // Or the histories would have said nothing.
    expect(entries).toBeGreaterThan(1000)
  })

  it('refuses a line that claims another balance than the fold makes of it', () => {
    const history = historyOf([
      { what: 'post', from: 'cash', to: 'a', amount: '5', pick: 0, flag: false },
    ])
    const last = history.at(-1) as Recorded
    const entry = structuredClone(last.data) as { entry: { lines: { balance: string }[] } }
    Object.assign(entry.entry.lines[1] ?? {}, { balance: '6' })
    const folded: FoldedBooks = new Map()
    for (const event of history.slice(0, -1)) foldEvent(folded, event)
    expect(() => foldEvent(folded, { ...last, data: entry })).toThrow(
      'claims 6 on a, the fold says 5',
    )
  })

  it('passes other streams over', () => {
    expect(bookOfStream('scores-main')).toBeUndefined()
    expect(bookOfStream('book-main')).toBe('main')
  })
})

describe('the pages of the log', () => {
  it('grow with the entries in their events, not only with the events', async () => {
    const eventOf = (commit: number, size: number): Recorded => ({
      ...{ id: '', stream: 'book-main', revision: commit, type: 'EntriesPosted', metadata: {} },
      ...{ position: { commit: BigInt(commit), prepare: BigInt(commit) } },
      ...{ data: { entries: Array(size) }, recordedAt: new Date(opened) },
    })
    const log = [...[1, 2, 3, 4, 5].map((n) => eventOf(n, 1000)), eventOf(6, 1), eventOf(7, 1)]
    const readAll = async function* () {
      yield* log
    }
    const store = { readAll } as unknown as EventStore
    const never = new AbortController().signal
    const after = { commit: 1n, prepare: 1n }
    const pages: bigint[][] = []
    for await (const page of readPages(store, after, 6n, never)) {
      pages.push(page.map(({ position }) => position.commit))
    }
    expect(pages).toEqual([[2n, 3n], [4n, 5n], [6n]])
  })
})
