import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postTransfer } from '../commands/ledger/index.ts'
import { apiKeyEvents } from '../domain/api_keys.ts'
import { ledgerEvents } from '../domain/ledger/events.ts'
import { riskEvents } from '../domain/risk.ts'
import { sessionEvents } from '../domain/sessions.ts'
import { usernameEvents } from '../domain/usernames.ts'
import { userEvents } from '../domain/users.ts'
import { replay, verify } from '../infra/audit/index.ts'
import { readBuilds } from '../projections/builds.ts'
import { projections } from '../projections/index.ts'
import { getBalance } from '../projections/ledger/index.ts'
import { runProjector } from '../projections/runner.ts'
import { doing, hour, liveThrough } from './audit-support.ts'
import { until } from './infra-support.ts'
import { useWorld } from './people-support.ts'

const schemas = {
  ...ledgerEvents,
  ...riskEvents,
  ...userEvents,
  ...usernameEvents,
  ...sessionEvents,
  ...apiKeyEvents,
}
const quiet = { info: () => undefined, error: () => undefined }
const never = new AbortController().signal

describe('an auditor', () => {
  const world = useWorld()
  const stopping = new AbortController()
  let moments: Awaited<ReturnType<typeof liveThrough>>
  let projecting: Promise<void>

  beforeAll(async () => {
    const { database } = world
    const { store } = world.ports
    moments = await liveThrough(world.ports, 'main')
    await liveThrough(world.ports, 'branch')
    const { signal } = stopping
    projecting = runProjector({ store, database, projections, log: quiet, signal })
  })

  afterAll(async () => {
    stopping.abort()
    await projecting
  })

  const audit = () =>
    verify({
      store: world.ports.store,
      database: world.database,
      projections,
      schemas,
      signal: never,
      patience_ms: 20_000,
    })

  /** The table behind a view. */
  const live = async (projection: string, table: string): Promise<string> => {
    const builds = await readBuilds(world.database)
    return `${table}_b${builds.find(({ name }) => name === projection)?.build}`
  }

  const score = (entry: string, revision: number) => ({
    id: randomUUID(),
    type: 'TransactionScored',
    metadata: {},
    data: {
      ...{ book: 'main', revision, entry, kind: 'transfer', account: 'cash' },
      ...{ counterparty: 'customers:ben', amount: '1', asset: 'USD/2', model: 'm' },
      ...{ booked_at: '2026-01-01T00:00:00.000Z', scored_at: '2026-01-01T00:00:00.000Z' },
      ...{ features: {}, probability: 0.1, decision: 'approve', reasons: [] },
    },
  })

  it('finds nothing where nothing is wrong, and says what was looked at', async () => {
    const { figures, differences, remarks } = await audit()
    expect(differences).toEqual({ total: 0, shown: [] })
    expect(remarks).toEqual([])
    expect(figures).toMatchObject({
      ...{ streams: 2, books: 2, accounts: 16, entries: 18, open_holds: 6, periods: 2, scores: 0 },
      rows: {
        accounts: 16,
        entries: 18,
        holds: 8,
        ledger_accounts: 16,
        ledger_holds: 6,
        periods: 2,
      },
    })
    expect(figures.rows.entry_lines).toBe(figures.lines)
    expect(figures.rows.event_index).toBe(figures.events)
  })

  it('leaves no table behind', async () => {
    await audit()
    // The server takes a moment to notice that a connection is gone.
    await until('the temporary tables are gone', async () => {
      const { rows } = await world.database.query(
        `select relname from pg_class where relname like 'audit%' or relname like '%\\_b0'`,
      )
      return rows.length === 0
    })
  })

  it('names a balance that was changed, in the row and in the ledger', async () => {
    const table = await live('accounts', 'accounts')
    const change = (by: number) =>
      world.database.query(
        `update ${table} set balance = balance + $1 where book = 'main' and account = 'fees'`,
        [by],
      )
    await change(7)
    const { differences } = await audit()
    await change(-7)
    const expected = 'balance=25'
    const actual = 'balance=32'
    const where = 'book=main account=fees'
    expect(differences).toEqual({
      total: 2,
      shown: [
        { what: 'accounts', where, expected, actual },
        { what: 'ledger_accounts', where, expected, actual },
      ],
    })
  })

  it('names a row that is missing and one that has no reason', async () => {
    const { database } = world
    const lines = await live('entries', 'entry_lines')
    const key = `book = 'branch' and revision = 9 and ordinal = 0`
    const kept = await database.query(`delete from ${lines} where ${key} returning *`)
    const [row] = kept.rows
    const insert = (more: object) =>
      database.query(
        `insert into ${lines} select * from json_populate_record(null::${lines}, $1)`,
        [JSON.stringify({ ...row, ...more })],
      )
    await insert({ revision: 9999 })
    const { differences } = await audit()
    await insert({})
    await database.query(`delete from ${lines} where revision = 9999`)
    expect(differences.total).toBe(2)
    expect(differences.shown).toMatchObject([
      { what: 'entry_lines', where: 'book=branch revision=9 ordinal=0', actual: 'no such row' },
      {
        what: 'entry_lines',
        where: 'book=branch revision=9999 ordinal=0',
        expected: 'no such row',
      },
    ])
  })

  it('names a hold that is open although it ended', async () => {
    const table = await live('holds', 'holds')
    const set = (from: string, to: string) =>
      world.database.query(
        `update ${table} set status = $2 where book = 'main' and status = $1 returning hold`,
        [from, to],
      )
    const { rows } = await set('released', 'open')
    const { differences } = await audit()
    const hold = rows[0]?.hold
    await world.database.query(`update ${table} set status = 'released' where hold = $1`, [hold])
    expect(differences.shown.map(({ what, where }) => `${what} ${where}`)).toEqual([
      `holds book=main hold=${hold}`,
      `ledger_holds book=main hold=${hold}`,
    ])
  })

  it('counts all differences and shows a hundred', async () => {
    const table = await live('event_index', 'event_index')
    await world.database.query(
      `insert into ${table} select 'ghost', n, 'Nothing', null, null, now(), 1000000 + n
       from generate_series(1, 25000) n`,
    )
    const { differences } = await audit()
    await world.database.query(`delete from ${table} where stream = 'ghost'`)
    expect(differences.total).toBe(25_000)
    expect(differences.shown).toHaveLength(100)
  })

  it('reports no false difference while the bank goes on', async () => {
    const act = doing(world.ports)
    const going = { on: true }
    const traffic = (async () => {
      let transfers = 0
      for (; going.on; transfers += 1) {
        const input = { book: 'main', from: 'cash', to: 'customers:ben', amount: '1' }
        await act(postTransfer, input, hour(60))
      }
      return transfers
    })()
    const reports = [await audit(), await audit(), await audit()]
    going.on = false
    expect(await traffic).toBeGreaterThan(0)
    expect(reports.map(({ differences }) => differences.shown)).toEqual([[], [], []])
  })

  it('answers as of a position: balances, holds and status', async () => {
    const { store } = world.ports
    const { balances, totals, position } = await replay({
      ...{ store, at: moments.released, book: 'main', signal: never },
    })
    expect(position).toBe(moments.released)
    const rows = balances.map((row) => `${row.account} ${row.balance} ${row.held} ${row.status}`)
    expect(rows).toEqual([
      'cash 149000 0 active',
      'cash-kes 129000 0 active',
      'customers:ann 97175 400 active',
      'customers:ben 52500 900 active',
      'customers:cleo 300 0 active',
      'exchange -1000 0 active',
      'exchange-kes 129000 0 active',
      'fees 25 0 active',
    ])
    expect(totals).toEqual([
      { book: 'main', asset: 'KES/2', debit: 129_000n, credit: 129_000n },
      { book: 'main', asset: 'USD/2', debit: 150_000n, credit: 150_000n },
    ])
  })

  it('answers as of an instant: what was booked by then', async () => {
    const { store } = world.ports
    const at = hour(2).toISOString()
    const asked = { store, at, account: 'customers:ben', signal: never }
    const { balances } = await replay(asked)
    expect(balances.map(({ book, balance, held }) => [book, balance, held])).toEqual([
      ['branch', 50_000n, null],
      ['main', 50_000n, null],
    ])
    const before = await replay({ ...asked, at: new Date(hour(2).getTime() - 1).toISOString() })
    expect(before.balances.map(({ balance }) => balance)).toEqual([0n, 0n])
    const never_ = await replay({ ...asked, at: '2020-01-01T00:00:00.000Z' })
    expect(never_.balances).toEqual([])
  })

  it('answers of the past what the read models answer', async () => {
    const { store, vault } = world.ports
    for (const at of [moments.released, hour(31).toISOString(), hour(1).toISOString()]) {
      const { balances } = await replay({ store, at, signal: never })
      expect(balances).toHaveLength(at === moments.released ? 8 : 16)
      for (const { book, account, balance } of balances) {
        const asker = { id: 'auditor', reach: 'all', at: new Date() } as const
        const view = await getBalance.run(world.database, { book, account, at }, asker, vault)
        expect([account, at, view?.balance]).toEqual([account, at, balance.toString()])
      }
    }
  })

  it('stops when it is told to', async () => {
    const { store } = world.ports
    const stop = new AbortController()
    const onProgress = (): void => stop.abort(new Error('enough'))
    await expect(replay({ store, signal: stop.signal, onProgress })).rejects.toThrow('enough')
    const { database } = world
    const signal = stop.signal
    await expect(verify({ store, database, projections, schemas, signal })).rejects.toThrow(
      'enough',
    )
  })

  it('says so when a read model is of another version or missing', async () => {
    const { database } = world
    const { store } = world.ports
    const newer = projections.map((one) =>
      one.name === 'periods' ? { ...one, version: 99 } : { ...one },
    )
    const missing = { ...newer[0], name: 'missing', tables: [] } as (typeof newer)[number]
    const asked = [...newer.slice(1), missing]
    const options = { store, database, schemas, signal: never, patience_ms: 0 }
    const { differences, remarks } = await verify({ ...options, projections: asked })
    expect(remarks).toEqual([
      'periods 99 has not been built yet',
      `missing ${newer[0]?.version} has not been built yet`,
    ])
    expect(differences.shown).toMatchObject([
      { what: 'projection', where: 'periods', actual: 'version 1, not built anew yet' },
      { what: 'projection', where: 'missing', actual: 'no tables' },
      { what: 'ledger', where: 'read models' },
    ])
  })

  // From here on the log itself is damaged, which cannot be taken back.
  it('holds every score against its entry', async () => {
    const { store } = world.ports
    const entry = async (): Promise<[string, number]> => {
      for await (const { type, data, revision } of store.readStream('book-main')) {
        if (type === 'EntryPosted') return [(data as { entry: { id: string } }).entry.id, revision]
      }
      throw new Error('there is no entry')
    }
    const [id, revision] = await entry()
    await store.append('scores-main', -1, [score(id, revision)])
    const sound = await audit()
    expect(sound.differences.shown).toEqual([])
    expect(sound.figures.scores).toBe(1)
    await store.append('scores-main', 0, [score(id, revision), score('nothing', 3)])
    const { differences } = await audit()
    expect(differences.shown).toEqual([
      {
        ...{ what: 'score', where: `book=main entry=${id}` },
        ...{ expected: 'at most one score', actual: '2 scores' },
      },
      {
        ...{ what: 'score', where: 'scores-main@2' },
        expected: 'an entry of its book at the revision it names',
        actual: 'book=main entry=nothing revision=3',
      },
    ])
  })

  it('names what is wrong in the log: unbalanced entries, false claims, unknown events', async () => {
    const { store } = world.ports
    let last = -1
    for await (const { revision } of store.readStream('book-branch')) last = revision
    const line = { account: 'cash', asset: 'USD/2' }
    const bad = {
      ...{ id: 'bad', kind: 'transfer', booked_at: hour(99).toISOString() },
      ...{ value_date: '2026-01-14', description: '' },
      lines: [
        { ...line, direction: 'debit', amount: '5', balance: '1' },
        { ...line, direction: 'credit', amount: '4', balance: '2' },
      ],
    }
    const event = (type: string, data: object) => ({ id: randomUUID(), type, data, metadata: {} })
    await store.append('book-branch', last, [event('EntryPosted', { entry: bad })])
    await store.append('odd-1', -1, [event('Oddity', {})])
    const { differences } = await audit()
    const found = differences.shown.map(({ what, where }) => `${what}: ${where}`)
    expect(found).toContain(`entry balances: book-branch@${last + 1} entry=bad asset=USD/2`)
    expect(found).toContain('ledger: book-branch')
    expect(found).toContain('event schema: odd-1@0')
    // A book that cannot be folded is not compared with the fold, and the other one is.
    expect(found.filter((line) => line.startsWith('ledger_'))).toEqual([])
    await expect(replay({ store, signal: never })).rejects.toThrow(`book-branch@${last + 1}`)
  })

  it('says which projections have stopped, and compares them as far as they came', async () => {
    const { store } = world.ports
    let last = -1
    for await (const { revision } of store.readStream('book-main')) last = revision
    const garbage = { id: randomUUID(), type: 'HoldPlaced', data: { hold: 7 }, metadata: {} }
    await store.append('book-main', last, [garbage])
    const { differences } = await audit()
    const found = differences.shown.map(({ what, where }) => `${what}: ${where}`)
    expect(found).toContain(`event schema: book-main@${last + 1}`)
    expect(found).toContain('ledger: read models')
    const stopped = differences.shown.filter(({ what }) => what === 'projection')
    expect(stopped.map(({ where }) => where)).toEqual(['holds', 'screened_transfers'])
    for (const { actual } of stopped) {
      expect(actual).toContain(`HoldPlaced at book-main@${last + 1}`)
    }
  })
})
