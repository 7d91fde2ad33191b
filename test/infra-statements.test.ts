import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { depositFunds, transferByCard, withdrawCash } from '../commands/card_transactions.ts'
import { coverDeposit } from '../commands/deposits.ts'
import { postTransfer } from '../commands/ledger/index.ts'
import { requestStatement } from '../commands/statements.ts'
import { VAULT } from '../domain/machines.ts'
import { formatMoney } from '../domain/money.ts'
import { createStatementMaker, type MakerOptions } from '../infra/statements/maker.ts'
import { type Extent, readFigures, readRows, type Totals } from '../infra/statements/movements.ts'
import type { StatementRow } from '../infra/statements/pdf.ts'
import { followFreshness } from '../projections/freshness.ts'
import { accountBook, holdBook, journal } from '../projections/ledger/index.ts'
import { statementBook } from '../projections/statements.ts'
import { temporaryDirectory, until } from './infra-support.ts'
import { answerOf, askOn, BENS, CHECKING, furnish, SAVINGS } from './machine-support.ts'
import { accepted, typesIn, useWorld } from './people-support.ts'

const world = useWorld()
const book = 'main'
const read = [accountBook, journal, holdBook, statementBook]
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const log = { ...quiet, debug: () => undefined }
const everAfter = 2n ** 62n
const known = { middle: 0n }

const at = (instant: string) => ({ at: new Date(instant) })

/** What happened to Ada's account around February, to the millisecond. */
beforeAll(async () => {
  const ask = askOn(world.ports)
  await furnish(ask, 500)
  const cash = { book, account: CHECKING, machine: '1' }
  const withdraw = (amount: string, when: string) =>
    ask(withdrawCash, { ...cash, amount }, at(when)).then(answerOf)
  await withdraw('2000', '2026-01-31T23:59:59.999Z')
  const deposit = { ...cash, amount: '30000', kind: 'cash' as const }
  answerOf(await ask(depositFunds, deposit, at('2026-02-01T00:00:00.000Z')))
  const toBen = { book, account: CHECKING, to_number: '1000-0002-0001', amount: '12345' }
  const middle = accepted(await ask(transferByCard, toBen, at('2026-02-15T12:00:00.000Z')))
  known.middle = middle.position?.commit ?? 0n
  const fromBen = { book, account: BENS, to_number: '1000-0001-0001', amount: '45' }
  answerOf(await ask(transferByCard, fromBen, at('2026-02-28T23:59:59.999Z')))
  await withdraw('4000', '2026-03-01T00:00:00.000Z')
  answerOf(await ask(coverDeposit, { book, account: CHECKING, covered_by: SAVINGS }))
  const all = { ...toBen, amount: '111701' }
  answerOf(await ask(transferByCard, all, at('2026-03-02T00:00:00.000Z')))
})

const projected = async () => {
  const fresh = await world.project(read)
  await fresh(await world.ports.store.head())
}
const extentOf = (from: string, to: string, more: Partial<Extent> = {}): Extent => ({
  ...{ book, account: CHECKING, from, to, position: everAfter, ...more },
})
const rowsOf = async (extent: Extent) => {
  const totals: Totals = new Map()
  const portions: StatementRow[][] = []
  const seen: number[] = []
  const { database } = world
  const figures = await readFigures(database, extent)
  for await (const rows of readRows(database, extent, figures, totals, (n) => void seen.push(n))) {
    portions.push([...rows])
  }
  return { portions, rows: portions.flat(), totals: Object.fromEntries(totals), seen }
}

describe('the figures of a statement', () => {
  test.each([
    // The balance that was brought forward lies in the opening one and is no transaction.
    ['2026-01-01', '2026-01-31', 1, '100000', '98000'],
    ['2026-02-01', '2026-02-28', 3, '98000', '115700'],
    ['2026-02-02', '2026-02-27', 1, '128000', '115655'],
    ['2026-03-01', '2026-03-01', 1, '115700', '111700'],
    ['2026-01-01', '2026-03-31', 7, '100000', '0'],
    ['2025-01-01', '2025-12-31', 0, '0', '0'],
    ['2026-04-01', '2026-04-30', 0, '0', '0'],
  ])('from %s to %s are %d, %s and %s', async (from, to, transactions, opening, closing) => {
    await projected()
    expect(await readFigures(world.database, extentOf(from, to))).toEqual({
      ...{ asset: 'USD/2', product: 'checking', transactions, opening, closing },
    })
  })

  test('are those of a moment in the log, whatever was written since', async () => {
    await projected()
    const extent = extentOf('2026-02-01', '2026-03-31', { position: known.middle })
    expect(await readFigures(world.database, extent)).toMatchObject({
      ...{ transactions: 2, opening: '98000', closing: '115655' },
    })
    expect((await rowsOf(extent)).rows).toHaveLength(2)
  })
})

describe('the rows of a statement', () => {
  test('say what happened, in order, with the balance after each', async () => {
    await projected()
    const { rows, totals } = await rowsOf(extentOf('2026-01-31', '2026-03-31'))
    expect(rows.map((row) => Object.values(row).join(' | '))).toEqual([
      'Jan 31, 2026 | Cash Withdrawal | -$20.00 | $980.00',
      'Feb 1, 2026 | Cash Deposit | +$300.00 | $1,280.00',
      'Feb 15, 2026 | Transfer to XXXX-XXXX-0001 | -$123.45 | $1,156.55',
      'Feb 28, 2026 | Transfer from XXXX-XXXX-0001 | +$0.45 | $1,157.00',
      'Mar 1, 2026 | Cash Withdrawal | -$40.00 | $1,117.00',
      expect.stringMatching(/^Mar 2, 2026 \| .* \| \+\$0\.01 \| \$1,117\.01$/),
      'Mar 2, 2026 | Transfer to XXXX-XXXX-0001 | -$1,117.01 | $0.00',
    ])
    expect(totals).toEqual({
      ...{ withdrawals: 6000n, deposits: 30_000n },
      ...{ 'transfers in': 46n, 'transfers out': 124_046n },
    })
  })

  test('come in portions, each once, however many there are', async () => {
    const ask = askOn(world.ports)
    const pay = { book, from: VAULT, to: BENS, amount: '1' }
    const some = (count: number, day: string) =>
      Promise.all(
        Array.from({ length: count }, () => ask(postTransfer, pay, at(`${day}T10:00:00.000Z`))),
      )
    for (const [count, day] of [
      [500, '2026-05-02'],
      [703, '2026-05-03'],
    ] as const) {
      const outcomes = await some(count, day)
      for (const outcome of outcomes) answerOf(outcome)
    }
    await projected()
    const account = BENS
    const first = await rowsOf(extentOf('2026-05-02', '2026-05-02', { account }))
    expect(first.portions.map(({ length }) => length)).toEqual([500])
    const { portions, rows, totals, seen } = await rowsOf(
      extentOf('2026-05-02', '2026-05-03', { account }),
    )
    expect(portions.map(({ length }) => length)).toEqual([500, 500, 203])
    expect(seen.reduce((sum, count) => sum + count, 0)).toBe(1203)
    expect(totals).toEqual({ 'transfers in': 1203n })
    const balances = rows.map(({ balance }) => Number(balance.replace(/[$,.]/g, '')))
    expect(balances).toEqual(balances.map((_, index) => (balances[0] ?? 0) + index))
  })
})

test('a period opens as the one before closed, also when the first was recorded last', async () => {
  const ask = askOn(world.ports)
  const account = SAVINGS
  const pay = (amount: string, when: string) =>
    ask(postTransfer, { book, from: VAULT, to: account, amount }, at(when)).then(answerOf)
  await pay('7', '2026-06-02T00:00:00.000Z')
  await pay('100', '2026-06-01T23:59:59.999Z')
  await projected()
  const ofDays = async (from: string, to: string) => {
    const extent = extentOf(from, to, { account })
    const { opening, closing } = await readFigures(world.database, extent)
    const { rows } = await rowsOf(extent)
    expect(rows.at(-1)?.balance ?? formatMoney(opening, 'USD/2')).toBe(
      formatMoney(closing, 'USD/2'),
    )
    return [Number(opening), Number(closing)]
  }
  const [, start = 0] = await ofDays('2026-05-31', '2026-05-31')
  expect(await ofDays('2026-06-01', '2026-06-01')).toEqual([start, start + 100])
  expect(await ofDays('2026-06-02', '2026-06-02')).toEqual([start + 100, start + 107])
  expect(await ofDays('2026-06-01', '2026-06-02')).toEqual([start, start + 107])
})

describe('a statement is made', () => {
  const setUp = async (more: Partial<MakerOptions> = {}) => {
    await projected()
    const directory = temporaryDirectory()
    const { ports, database } = world
    const freshness = await followFreshness(database, quiet)
    onTestFinished(() => freshness.close())
    const { signal } = new AbortController()
    const options = { ports, database, freshness, directory, log, signal, ...more }
    const maker = await createStatementMaker(options)
    return { maker, directory, options }
  }
  const february = { book, account: CHECKING, from: '2026-02-01', to: '2026-02-28' }
  const request = async (more: object = {}) => {
    const asked = await askOn(world.ports)(
      requestStatement,
      { ...february, ...more },
      at('2026-06-01T00:00:00.000Z'),
    )
    return answerOf(asked)
  }
  const typesOf = (statement: string) => typesIn(world.ports.store, `statement-${statement}`)
  const endOf = async (statement: string) => {
    let data: unknown
    for await (const event of world.ports.store.readStream(`statement-${statement}`))
      data = event.data
    return data as Record<string, unknown>
  }
  const DONE = ['StatementRequested', 'StatementCompleted']

  test('into the file that its event speaks of, once for all who wait', async () => {
    const { store } = world.ports
    let drawn = 0
    // Whoever draws one asks first where the log ends, as does the maker when it opens.
    const head: typeof store.head = () => {
      drawn += 1
      return store.head()
    }
    const { maker, directory } = await setUp({
      ports: { ...world.ports, store: { ...store, head } },
    })
    const { statement, file } = await request()
    await Promise.all([maker.make(statement), maker.make(statement)])
    await maker.make(statement)
    expect(drawn).toBe(2)
    expect(await typesOf(statement)).toEqual(DONE)
    const bytes = readFileSync(join(directory, file))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const figures = { transactions: 3, opening: '98000', closing: '115700' }
    expect(await endOf(statement)).toMatchObject({ ...figures, sha256, bytes: bytes.length })
    expect(maker.progressOf(statement)).toBeUndefined()
    const sent = await new Response(await maker.open(file)).arrayBuffer()
    expect(Buffer.from(sent)).toEqual(bytes)
    expect(await maker.open('stmt-of-nobody.pdf')).toBeUndefined()
  })

  test('by the next process, when one was killed before it was made', async () => {
    const { statement, file } = await request()
    const { maker, directory } = await setUp()
    await until('it is made', async () => (await typesOf(statement)).length === 2)
    await maker.settled()
    expect(await typesOf(statement)).toEqual(DONE)
    expect(readdirSync(directory)).toEqual([file])
  })

  test('by the next process, which first waits to hear of it and clears away what was torn', async () => {
    const { statement, file } = await request()
    const directory = temporaryDirectory()
    writeFileSync(join(directory, `${file}.torn.part`), 'half')
    const { ports, database } = world
    const freshness = await followFreshness(database, quiet)
    onTestFinished(() => freshness.close())
    const { signal } = new AbortController()
    // Nothing is projected yet: what it finds comes later.
    await createStatementMaker({ ports, database, freshness, directory, log, signal })
    await projected()
    await until('it was made', async () => (await typesOf(statement)).length === 2)
    expect(await typesOf(statement)).toEqual(DONE)
    expect(readdirSync(directory)).toEqual([file])
  })

  test('two of the same days at once, each whole', async () => {
    const { maker, directory } = await setUp()
    const both = [await request(), await request()]
    await Promise.all(both.map(({ statement }) => maker.make(statement)))
    for (const { statement } of both) expect(await typesOf(statement)).toEqual(DONE)
    expect(readdirSync(directory)).toEqual([both[0]?.file])
  })

  test('not by a process that is ending, and leaves no half of a file', async () => {
    const stopping = new AbortController()
    const { maker, directory, options } = await setUp({ signal: stopping.signal })
    const { statement, file } = await request({ to: '2026-02-27' })
    stopping.abort()
    await expect(maker.make(statement)).rejects.toThrow()
    expect(await typesOf(statement)).toEqual(['StatementRequested'])
    expect(readdirSync(directory)).toEqual([])
    const { signal } = new AbortController()
    const next = await createStatementMaker({ ...options, signal })
    await next.make(statement)
    expect(await typesOf(statement)).toEqual(DONE)
    expect(readdirSync(directory)).toEqual([file])
  })

  test('or fails with a reason that gives nothing away', async () => {
    const { maker, directory } = await setUp()
    const { statement, file } = await request({ to: '2026-02-26' })
    mkdirSync(join(directory, file))
    await maker.make(statement)
    expect(await typesOf(statement)).toEqual(['StatementRequested', 'StatementFailed'])
    expect((await endOf(statement)).reason).not.toContain(directory)
    expect(readdirSync(directory)).toEqual([file])
  })

  test('not when nobody asked for it', async () => {
    const { maker } = await setUp()
    await maker.make('01NEVERASKEDFOR')
    expect(await typesOf('01NEVERASKEDFOR')).toEqual([])
  })
})
