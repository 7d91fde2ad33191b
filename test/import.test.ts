import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Ports } from '../commands/ports.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Book } from '../domain/ledger/state.ts'
import { importBank } from '../infra/import/bank.ts'
import { COLUMNS } from '../infra/import/bank_rows.ts'
import { inFlight } from '../infra/import/in_flight.ts'
import { temporaryDirectory } from './infra-support.ts'
import { useWorld } from './people-support.ts'

const never = new AbortController().signal

const HANDMADE = [
  '1993-01-04,1,1,a1,cash_deposit,,credit,100000,100000,,',
  '1993-01-04,2,1,b1,transfer_in,pension,credit,50000,50000,AB,123',
  '1993-01-05,1,2,a2,cash_withdrawal,,debit,130000,-30000,,',
  '1993-01-31,1,3,a3,cash_withdrawal,sanction_interest,debit,20,-30020,,',
  '1993-01-31,2,2,b2,interest,interest,credit,7,50007,,',
  '1993-01-31,2,3,b3,card_withdrawal,statement_fee,debit,1460,48547,,',
  '1993-02-01,2,4,b4,transfer_out,household,debit,48547,0,CD,"4,5"',
]

const fileOf = (rows: readonly string[], name = 'bank.csv'): string => {
  const path = join(temporaryDirectory(), name)
  const text = `${[COLUMNS.join(','), ...rows].join('\n')}\n`
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text)
  return path
}

describe('the bank importer', () => {
  const world = useWorld()

  const load = (path: string, book: string, ports: Ports = world.ports, signal = never) =>
    importBank(ports, { path, book, signal })

  const balancesOf = async (book: string): Promise<Record<string, string>> => {
    const { state } = await world.anotherProcess().engine.look(Ledger, `book-${book}`)
    const accounts = [...(state as Book).accounts.rows.values()]
    return Object.fromEntries(accounts.map(({ code, balance }) => [code, balance.toString()]))
  }

  const countOf = async (book: string): Promise<number> =>
    (await world.ports.engine.look(Ledger, `book-${book}`)).revision

  it('posts each kind of row against the account that it belongs to', async () => {
    expect(await load(fileOf(HANDMADE), 'handmade')).toMatchObject({
      ...{ rows: 7, accounts: 2, posted: 7, already_there: 0, compared: 7, equal: 7 },
      ...{ from: '1993-01-04', through: '1993-02-01', differences: [] },
    })
    expect(await balancesOf('handmade')).toEqual({
      'customers:1': '-30020',
      'customers:2': '0',
      'cash:vault': '-30000',
      'clearing:banks': '-1453',
      'clearing:cards': '0',
      'expense:interest': '7',
      'income:fees': '1460',
      'income:interest': '20',
    })
  })

  it('changes nothing the second time, in another process, from a packed file', async () => {
    const rows = HANDMADE.slice(0, 5)
    await load(fileOf(rows), 'twice')
    const before = await countOf('twice')
    const again = await load(fileOf(rows, 'bank.csv.gz'), 'twice', world.anotherProcess())
    expect(again).toMatchObject({ posted: 0, already_there: 5, compared: 5, equal: 5 })
    expect(await countOf('twice')).toBe(before)
  })

  it('goes on where it was cut off, with a higher overdraft where the file needs it', async () => {
    await load(fileOf(HANDMADE.slice(0, 2)), 'cut')
    const rest = await load(fileOf(HANDMADE), 'cut', world.anotherProcess())
    expect(rest).toMatchObject({ posted: 5, already_there: 2, equal: 7 })
  })

  it('refuses a transaction that was imported with another amount', async () => {
    await load(fileOf(HANDMADE), 'changed')
    const changed = HANDMADE.map((row) => row.replace('credit,50000,50000', 'credit,50001,50001'))
    const outcome = load(fileOf(changed), 'changed', world.anotherProcess())
    await expect(outcome).rejects.toThrow(/^line 3: transaction b1: .*idempotency key/)
  })

  it('lists the rows whose balance is not the one of the bank', async () => {
    const wrong = HANDMADE.map((row) => row.replace('7,50007', '7,50008'))
    const figures = await load(fileOf(wrong), 'wrong')
    expect(figures).toMatchObject({ compared: 7, equal: 6 })
    expect(figures.differences).toEqual([
      { line: 6, account: 'customers:2', transaction: 'b2', ours: '50007', banks: '50008' },
    ])
  })

  it.each([
    ['a kind', ['cash_deposit', 'gift'], /^line 2: kind: /],
    ['a direction', [',credit,100000', ',debit,100000'], /^line 2: direction: .*cash_deposit/],
    ['an amount', [',100000,100000', ',1000.00,100000'], /^line 2: amount_minor: /],
    ['a date', ['1993-01-04,1', '1993-02-30,1'], /^line 2: date: /],
    ['a row without an end', [',,', ''], /^line 2: /],
  ])('refuses %s that it does not know before it posts anything', async (_, [from, to], reason) => {
    const rows = [...HANDMADE]
    rows[0] = rows[0]?.replace(from ?? '', to ?? '') ?? ''
    await expect(load(fileOf(rows), 'bad')).rejects.toThrow(reason)
    expect(await countOf('bad')).toBe(-1)
  })

  it('refuses rows that are out of order, columns that are missing, no file at all', async () => {
    const swapped = [HANDMADE[2] ?? '', HANDMADE[0] ?? '']
    await expect(load(fileOf(swapped), 'bad')).rejects.toThrow(
      'line 3: date: 1993-01-04 comes after',
    )
    const repeated = [HANDMADE[0] ?? '', HANDMADE[0] ?? '']
    await expect(load(fileOf(repeated), 'bad')).rejects.toThrow('line 3: seq: 1 of account 1 comes')
    const path = join(temporaryDirectory(), 'short.csv')
    writeFileSync(path, 'date,account_id\n1993-01-04,1\n')
    await expect(load(path, 'bad')).rejects.toThrow('line 1: the column seq, transaction_id')
    await expect(load(`${path}.gone`, 'bad')).rejects.toThrow('there is no such file')
    writeFileSync(`${path}.gz`, 'not packed')
    await expect(load(`${path}.gz`, 'bad')).rejects.toThrow(/incorrect header/)
    expect(await countOf('bad')).toBe(-1)
  })

  it('names the row that the ledger refuses, and keeps what is before it', async () => {
    const rows = HANDMADE.map((row) => row.replace('a3,', 'a1,'))
    await expect(load(fileOf(rows), 'refused')).rejects.toThrow(/^line 5: transaction a1: /)
    expect((await balancesOf('refused'))['customers:1']).toBe('-30000')
  })

  it('stops when told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(load(fileOf(HANDMADE), 'stopped', world.ports, signal)).rejects.toThrow('enough')
  })

  const REAL = fileURLToPath(new URL('../../shared/data/bank/transactions.csv.gz', import.meta.url))
  const absent = !existsSync(REAL)
  it.skipIf(absent)(
    `agrees with a real bank on sixty accounts${absent ? ` (skipped: there is no ${REAL})` : ''}`,
    async () => {
      const [, ...rows] = gunzipSync(readFileSync(REAL)).toString().trimEnd().split('\n')
      const ids = new Set(rows.map((row) => row.split(',')[1]))
      // Some of those that go below zero are among them.
      const chosen = new Set([...ids].slice(0, 57).concat('4034', '5868', '4596'))
      const slice = rows.filter((row) => chosen.has(row.split(',')[1]))
      const figures = await load(fileOf(slice), 'real')
      expect(figures.differences).toEqual([])
      expect(figures).toMatchObject({
        rows: slice.length,
        equal: slice.length,
        accounts: chosen.size,
      })
      expect(slice.length).toBeGreaterThan(1000)
    },
  )
})

describe('work in flight', () => {
  it('begins in order, and never more than the limit at once', async () => {
    const begun: number[] = []
    let now = 0
    let most = 0
    const work = async (item: number): Promise<void> => {
      begun.push(item)
      now += 1
      most = Math.max(most, now)
      await new Promise((resolve) => setImmediate(resolve))
      now -= 1
    }
    const items = Array.from({ length: 50 }, (_, index) => index)
    await inFlight(items, 8, work, never)
    expect(begun).toEqual(items)
    expect(most).toBe(8)
    expect(now).toBe(0)
  })

  it('begins nothing after a failure, and waits for what has begun', async () => {
    const begun: number[] = []
    const ended: number[] = []
    const work = async (item: number): Promise<void> => {
      begun.push(item)
      if (item === 3) throw new Error('no')
      await new Promise((resolve) => setImmediate(resolve))
      ended.push(item)
    }
    const items = Array.from({ length: 50 }, (_, index) => index)
    await expect(inFlight(items, 8, work, never)).rejects.toThrow('no')
    expect(begun).toEqual([0, 1, 2, 3])
    expect(ended).toEqual([0, 1, 2])
  })
})
