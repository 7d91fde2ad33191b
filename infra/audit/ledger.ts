import { isDeepStrictEqual } from 'node:util'
import type { Recorded } from '../../domain/log.ts'
import { accounts, bookAssets, books } from '../../projections/ledger/accounts.ts'
import { holds } from '../../projections/ledger/holds.ts'
import { type Changes, createWriter, type Writer } from '../../projections/rows.ts'
import { physicalName, type Table } from '../../projections/table.ts'
import { compareTables } from './compare.ts'
import {
  bookOfStream,
  type FoldedBook,
  type FoldedBooks,
  foldEvent,
  periodAsFolded,
  totalsByAsset,
} from './fold.ts'
import type { Follower } from './follower.ts'
import { type Findings, messageOf } from './report.ts'
import { type Scratch, scratchName } from './scratch.ts'

const foldedBooks: Table = {
  name: 'audit_books',
  columns: { book: 'text', time_zone: 'text', assets: 'jsonb', closed_through: 'date' },
  key: ['book'],
}
const foldedAccounts: Table = {
  name: 'audit_accounts',
  columns: {
    book: 'text',
    account: 'text',
    type: 'text',
    asset: 'text',
    name: 'text',
    owner: 'text',
    status: 'text',
    overdraft_limit: 'text',
    velocity_limits: 'jsonb',
    covered_by: 'text',
    risk: 'text',
    balance: 'numeric',
    held: 'numeric',
    revision: 'bigint',
  },
  key: ['book', 'account'],
}
const foldedHolds: Table = {
  name: 'audit_holds',
  columns: {
    book: 'text',
    hold: 'text',
    account: 'text',
    asset: 'text',
    kind: 'text',
    amount: 'numeric',
    left_amount: 'numeric',
    description: 'text',
    expires_at: 'timestamptz',
  },
  key: ['book', 'hold'],
}
/** Books that could not be folded to the end: what they hold says nothing. */
const faultyBooks: Table = { name: 'audit_faulty', columns: { book: 'text' }, key: ['book'] }

export const ledgerTables: readonly Table[] = [
  foldedBooks,
  foldedAccounts,
  foldedHolds,
  faultyBooks,
]

export type LedgerFold = Follower & { readonly books: FoldedBooks }

/** A period's trial balance was true if the ledger, asked again at that point, says the same. */
const checkPeriod = (book: FoldedBook, event: Recorded, findings: Findings): void => {
  const written = event.data as { through: string; closed_at: string }
  const folded = periodAsFolded(book, written)
  if (isDeepStrictEqual(folded, written)) return
  const where = `${event.stream}@${event.revision} through=${written.through}`
  const expected = JSON.stringify(folded ?? 'no closing of this period')
  findings.add({ what: 'period', where, expected, actual: JSON.stringify(written) })
}

/** Folds every book with the ledger's own decider, as a second witness beside the projections. */
export const createLedgerFold = (findings: Findings): LedgerFold => {
  const folded: FoldedBooks = new Map()
  const take = (event: Recorded): void => {
    const name = bookOfStream(event.stream)
    if (name === undefined) return
    const book = folded.get(name)
    if (book?.fault !== undefined) return
    try {
      if (book && event.type === 'PeriodClosed') checkPeriod(book, event, findings)
      foldEvent(folded, event)
    } catch (error) {
      const fault = messageOf(error)
      const broken = folded.get(name)
      if (broken) broken.fault = fault
      const expected = 'an event that follows from those before it'
      findings.add({ what: 'ledger', where: event.stream, expected, actual: fault })
    }
  }
  return {
    at: undefined,
    until: 0n,
    books: folded,
    take: (events) => {
      for (const event of events) take(event)
    },
  }
}

/** Debits equal credits over all accounts of a book; what an account holds back, its open holds. */
export const checkSums = (fold: LedgerFold, findings: Findings): void => {
  for (const { book, state, fault } of fold.books.values()) {
    if (fault !== undefined) continue
    for (const { asset, debit, credit } of totalsByAsset(state.accounts.rows.values())) {
      if (debit === credit) continue
      const where = `book=${book} asset=${asset}`
      const actual = `debits=${debit} credits=${credit}`
      findings.add({ what: 'book balances', where, expected: 'debits = credits', actual })
    }
    for (const { code, held, openHolds } of state.accounts.rows.values()) {
      const left = openHolds.reduce((sum, id) => sum + (state.holds.get(id)?.left ?? 0n), 0n)
      if (left === held) continue
      const where = `book=${book} account=${code}`
      findings.add({ what: 'held amount', where, expected: `${left}`, actual: `${held}` })
    }
  }
}

const putBook = ({ book, state }: FoldedBook, rows: Writer): void => {
  const { timeZone: time_zone, closedThrough: closed_through } = state
  rows.put(foldedBooks, { book, time_zone, closed_through, assets: [...state.assets].sort() })
}

/** Rows in portions, so that a large book does not become one statement. */
function* rowsOf(folded: FoldedBook): Generator<readonly [Table, Record<string, unknown>]> {
  const { book, state } = folded
  for (const account of state.accounts.rows.values()) {
    const { code, type, asset, name, owner, status, risk, limits, coveredBy, revision } = account
    const about = { book, account: code, type, asset, name, owner, status, revision }
    yield [
      foldedAccounts,
      {
        ...about,
        overdraft_limit: account.overdraft?.toString() ?? 'unlimited',
        velocity_limits: limits,
        covered_by: coveredBy,
        risk,
        balance: account.balance.toString(),
        held: account.held.toString(),
      },
    ]
  }
  for (const { id, left, transfer: _transfer, ...hold } of state.holds.rows.values()) {
    yield [foldedHolds, { ...hold, book, hold: id, left_amount: left.toString() }]
  }
}

const PORTION = 5000

const writeFold = async (fold: LedgerFold, scratch: Scratch): Promise<void> => {
  let changes: Changes = new Map()
  let count = 0
  const position = (fold.at?.commit ?? 0n).toString()
  for (const folded of fold.books.values()) {
    const rows = createWriter(changes, position)
    if (folded.fault !== undefined) rows.put(faultyBooks, { book: folded.book })
    else putBook(folded, rows)
    if (folded.fault !== undefined) continue
    for (const [table, row] of rowsOf(folded)) {
      createWriter(changes, position).put(table, row)
      count += 1
      if (count % PORTION > 0) continue
      await scratch.write(changes)
      changes = new Map()
    }
  }
  await scratch.write(changes)
  const names = ledgerTables.map(scratchName).join(', ')
  await scratch.sql.query(`analyze ${names}`)
}

const isSound = (book: string): string =>
  `${book} not in (select f.book from ${scratchName(faultyBooks)} f)`

/** The read models as the fold would have them, open holds summed up by account. */
const actualRows = (accountsBuild: number, holdsBuild: number): readonly [Table, string][] => {
  const account = physicalName(accounts, accountsBuild)
  const hold = physicalName(holds, holdsBuild)
  const book = physicalName(books, accountsBuild)
  const asset = physicalName(bookAssets, accountsBuild)
  const assets = `(select jsonb_agg(s.asset order by s.asset collate "C") from ${asset} s
    where s.book = b.book)`
  const held = `(select book, account, sum(left_amount) as held from ${hold}
    where status = 'open' group by book, account)`
  return [
    [foldedBooks, `(select *, ${assets} as assets from ${book} b where ${isSound('b.book')})`],
    [
      foldedAccounts,
      `(select a.*, coalesce(h.held, 0) as held
        from ${account} a left join ${held} h using (book, account) where ${isSound('a.book')})`,
    ],
    [foldedHolds, `(select * from ${hold} o where status = 'open' and ${isSound('o.book')})`],
  ]
}

/** Compares the fold with the read models, which must stand at the same log position. */
export const compareLedger = async (
  fold: LedgerFold,
  scratch: Scratch,
  builds: { readonly accounts: number; readonly holds: number },
  findings: Findings,
): Promise<Record<string, number>> => {
  await writeFold(fold, scratch)
  const rows: Record<string, number> = {}
  for (const [table, actual] of actualRows(builds.accounts, builds.holds)) {
    const name = table.name.replace('audit_', 'ledger_')
    const expected = scratchName(table)
    rows[name] = await compareTables(scratch.sql, { name, table, expected, actual }, findings)
  }
  return rows
}

export const countOf = (fold: LedgerFold, of: (folded: FoldedBook) => number): number =>
  [...fold.books.values()].reduce((sum, folded) => sum + of(folded), 0)
