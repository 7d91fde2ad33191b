/** How a statement is drawn: from the read models, in the form that was asked for. */
import type { Pool } from 'pg'
import { lookAtCustomer } from '../../commands/customers.ts'
import type { Ports } from '../../commands/ports.ts'
import { periodText } from '../../domain/calendar.ts'
import { accountNumberOf, maskAccountNumber } from '../../domain/deposits.ts'
import { formatMoney } from '../../domain/money.ts'
import type { StatementMade, StatementRequest } from '../../domain/statements.ts'
import type { Freshness } from '../../projections/freshness.ts'
import { getUser } from '../../projections/users.ts'
import { SYSTEM } from '../system.ts'
import { writeCamt } from './camt.ts'
import {
  type Extent,
  type Figures,
  readFigures,
  readMovements,
  readRows,
  readSums,
  type Totals,
} from './movements.ts'
import { type StatementFoot, type StatementHead, writeStatement } from './pdf.ts'

/** What drawing needs of the world. */
export type Drawer = {
  readonly ports: Ports
  readonly database: Pool
  readonly freshness: Freshness
  readonly signal: AbortSignal
}

const BANK = 'Daybook Bank'
const FRESHNESS_TIMEOUT_MS = 20_000

/** In which order totals stand on paper; the first ones also when they are zero. */
const TOTALS = ['deposits', 'withdrawals', 'transfers in', 'transfers out'] as const
const OTHERS = ['other credits', 'other debits'] as const

const footOf = (totals: Totals, { asset, closing }: Figures): StatementFoot => {
  const others = OTHERS.filter((name) => totals.has(name))
  const named = [...TOTALS, ...others].map((name): [string, string] => [
    `Total ${name}`,
    formatMoney(totals.get(name) ?? 0n, asset),
  ])
  return { totals: named, closing: formatMoney(closing, asset) }
}

/** `daily_susu` is printed as `Daily susu`. */
const titled = (product: string | null): string => {
  const words = (product ?? 'account').replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const headOf = (
  request: StatementRequest,
  { asset, product, opening }: Figures,
  holder: string,
): StatementHead => {
  return {
    bank: BANK,
    holder,
    accountNumber: maskAccountNumber(accountNumberOf(request.account)),
    accountType: titled(product),
    period: periodText(request),
    createdAt: new Date(request.requested_at),
    opening: formatMoney(opening, asset),
  }
}

/** Where the log ends now, once the read models have come that far. */
const extentOf = async (
  { ports, freshness }: Drawer,
  { book, account, from, to }: StatementRequest,
): Promise<Extent> => {
  const position = (await ports.store.head())?.commit ?? 0n
  const fresh = await freshness.waitFor(
    ['entries', 'accounts', 'statements'],
    position,
    FRESHNESS_TIMEOUT_MS,
  )
  if (!fresh) throw new Error('the read models are too far behind')
  return { book, account, from, to, position }
}

const SYSTEM_ASKER = { id: SYSTEM.id, reach: 'all', at: new Date(0) } as const

/** A customer, or a user who holds accounts himself; nothing when he was forgotten. */
const nameOf = async ({ ports, database, freshness }: Drawer, holder: string): Promise<string> => {
  const customer = await lookAtCustomer(ports, holder)
  if (customer) return customer.name ?? ''
  const position = (await ports.store.head())?.commit ?? 0n
  await freshness.waitFor(getUser.reads, position, FRESHNESS_TIMEOUT_MS)
  const user = await getUser.run(database, { user: holder }, SYSTEM_ASKER, ports.vault)
  return user?.name ?? ''
}

type Drawing = {
  readonly making: Drawer
  readonly request: StatementRequest
  readonly extent: Extent
  readonly figures: Figures
  readonly holder: string
  readonly path: string
  readonly onRows: (rows: number) => void
}

const drawPdf = (drawing: Drawing) => {
  const { making, request, extent, figures, holder, path, onRows } = drawing
  const totals: Totals = new Map()
  const rows = readRows(making.database, extent, figures, totals, onRows)
  const head = headOf(request, figures, holder)
  return writeStatement(path, head, rows, () => footOf(totals, figures), making.signal)
}

/** How many there are of the account with this one. */
const sequenceOf = async (
  { database }: Drawer,
  { book, account, statement }: StatementRequest,
): Promise<number> => {
  const { rows } = await database.query<{ before: number }>(
    `select count(*)::integer as before from statements
     where book = $1 and account = $2 and statement < $3 and format = 'camt.053'`,
    [book, account, statement],
  )
  return (rows[0]?.before ?? 0) + 1
}

const drawCamt = async (drawing: Drawing) => {
  const { making, request, extent, figures, holder, path, onRows } = drawing
  const { statement, account, from, to, requested_at } = request
  const { asset, opening, closing } = figures
  const head = {
    ...{ statement, from, to, asset, opening, closing, holder, bank: BANK },
    sequence: await sequenceOf(making, request),
    accountNumber: accountNumberOf(account),
    createdAt: new Date(requested_at),
    sums: await readSums(making.database, extent),
  }
  const movements = readMovements(making.database, extent, opening, onRows)
  return { ...(await writeCamt(path, head, movements, making.signal)), pages: 1 }
}

const drawers = { pdf: drawPdf, 'camt.053': drawCamt } as const

/**
 * Draws a statement into a file. `onPart` is told how much of it there is, between 0 and 1. Rejects
 * with what the stores or the file system threw, or with the reason of an abort.
 */
export const drawStatement = async (
  making: Drawer,
  request: StatementRequest,
  path: string,
  onPart: (part: number) => void,
): Promise<Omit<StatementMade, 'completed_at'>> => {
  const { statement, customer, format = 'pdf' } = request
  const extent = await extentOf(making, request)
  const figures = await readFigures(making.database, extent)
  const { transactions, opening, closing } = figures
  let done = 0
  const onRows = (count: number): void => {
    done += count
    onPart(transactions === 0 ? 1 : done / transactions)
  }
  const holder = await nameOf(making, customer)
  const drawing = { making, request, extent, figures, holder, path, onRows }
  return { statement, transactions, opening, closing, ...(await drawers[format](drawing)) }
}
