import { join } from 'node:path'
import type { Pool } from 'pg'
import type { Statements } from '../../api/services.ts'
import { lookAtCustomer } from '../../commands/customers.ts'
import { Overloaded } from '../../commands/engine.ts'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import { completeStatement, failStatement, lookAtStatement } from '../../commands/statements.ts'
import { periodText } from '../../domain/calendar.ts'
import { accountNumberOf, maskAccountNumber } from '../../domain/deposits.ts'
import { formatMoney } from '../../domain/money.ts'
import type { StatementRequest } from '../../domain/statements.ts'
import type { Freshness } from '../../projections/freshness.ts'
import { openFile, openWorkshop } from '../files.ts'
import { goOnWith } from '../left_behind.ts'
import type { Log } from '../log.ts'
import { SYSTEM } from '../system.ts'
import { type Extent, type Figures, readFigures, readRows, type Totals } from './movements.ts'
import { PART, type StatementFoot, type StatementHead, writeStatement } from './pdf.ts'

export type MakerOptions = {
  readonly ports: Ports
  readonly database: Pool
  readonly freshness: Freshness
  /** Of this process alone; created when missing. */
  readonly directory: string
  readonly log: Log
  readonly signal: AbortSignal
}

const BANK = 'Daybook Bank'
/** At once: each is drawn page by page between other work. */
const AT_ONCE = 2
const MAX_WAITING = 100
const FRESHNESS_TIMEOUT_MS = 20_000
/** Left behind, taken up together: fewer than may wait, so that new ones are not turned away. */
const PORTION = 20

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

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const headOf = (
  request: StatementRequest,
  { asset, product, opening }: Figures,
  holder: string,
): StatementHead => {
  return {
    bank: BANK,
    holder,
    accountNumber: maskAccountNumber(accountNumberOf(request.account)),
    accountType: capitalised(product),
    period: periodText(request),
    createdAt: new Date(request.requested_at),
    opening: formatMoney(opening, asset),
  }
}

type Making = MakerOptions & { readonly progress: Map<string, number> }

/** Where the log ends now, once the read models have come that far. */
const extentOf = async (
  { ports, freshness }: Making,
  { book, account, from, to }: StatementRequest,
): Promise<Extent> => {
  const position = (await ports.store.head())?.commit ?? 0n
  const fresh = await freshness.waitFor(['entries', 'accounts'], position, FRESHNESS_TIMEOUT_MS)
  if (!fresh) throw new Error('the read models are too far behind')
  return { book, account, from, to, position }
}

const draw = async (making: Making, request: StatementRequest) => {
  const { ports, database, directory, signal, progress } = making
  const { statement, customer, file } = request
  const extent = await extentOf(making, request)
  const figures = await readFigures(database, extent)
  const holder = (await lookAtCustomer(ports, customer))?.name ?? ''
  const totals: Totals = new Map()
  let done = 0
  const rows = readRows(database, extent, figures, totals, (count) => {
    done += count
    progress.set(statement, figures.transactions === 0 ? 1 : done / figures.transactions)
  })
  const path = join(directory, file)
  const head = headOf(request, figures, holder)
  const written = await writeStatement(path, head, rows, () => footOf(totals, figures), signal)
  const { transactions, opening, closing } = figures
  return { statement, transactions, opening, closing, ...written }
}

const makeOne = async (making: Making, statement: string): Promise<void> => {
  const { ports, log, signal, progress } = making
  const { status, request } = await lookAtStatement(ports, statement)
  if (status !== 'requested' || !request) return
  const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
  progress.set(statement, 0)
  try {
    await execute(ports, completeStatement, await draw(making, request), context)
  } catch (error) {
    // Ended in the middle, it is still asked for, and is made at the next start.
    if (signal.aborted) throw error
    log.error({ statement, error: String(error) }, 'a statement could not be made')
    const reason = 'It could not be written; the log of the server says why.'
    await execute(ports, failStatement, { statement, reason }, context)
  } finally {
    progress.delete(statement)
  }
}

/** Statements that were asked for and never made, a portion after another. */
async function* leftBehind({ database }: MakerOptions) {
  for (let after = ''; ; ) {
    const { rows } = await database.query<{ statement: string }>(
      `select statement from statements where status = 'requested' and statement > $1
       order by statement limit ${PORTION}`,
      [after],
    )
    const last = rows.at(-1)
    if (!last) return
    yield rows.map(({ statement }) => statement)
    after = last.statement
  }
}

/**
 * Makes statements in this process, a few at a time, and goes on with those that an earlier process
 * left. `settled` resolves when none is being made any more.
 */
export const createStatementMaker = async (
  options: MakerOptions,
): Promise<Statements & { readonly settled: () => Promise<void> }> => {
  const { directory } = options
  await openWorkshop(directory, PART)
  const making: Making = { ...options, progress: new Map() }
  const underWay = new Map<string, Promise<void>>()
  const waiting: (() => void)[] = []
  let running = 0

  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    if (waiting.length >= MAX_WAITING) throw new Overloaded('too many statements are being made')
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
    running += 1
    try {
      await work()
    } finally {
      running -= 1
      waiting.shift()?.()
    }
  }
  const make = (statement: string): Promise<void> => {
    const known = underWay.get(statement)
    if (known) return known
    const made = inTurn(() => makeOne(making, statement)).finally(() => underWay.delete(statement))
    underWay.set(statement, made)
    return made
  }
  const settled = async (): Promise<void> => {
    await Promise.allSettled([...underWay.values()])
  }
  const goOn = async (): Promise<void> => {
    for await (const portion of leftBehind(options)) {
      if (options.signal.aborted) return
      await Promise.all(portion.map(make))
    }
  }
  goOnWith('statements', options, goOn)
  return {
    make,
    progressOf: (statement) => making.progress.get(statement),
    open: (file) => openFile(join(directory, file)),
    settled,
  }
}
