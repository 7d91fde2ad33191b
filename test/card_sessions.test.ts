import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { declineTransaction, expireCardSession, logOutCard } from '../commands/card_sessions.ts'
import type { LiveCardSessions } from '../commands/ports.ts'
import { CardSession } from '../domain/card_sessions.ts'
import { createCardSessions } from '../infra/postgres/card_sessions.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { answerOf, CHECKING, NOON, openBranch } from './machine-support.ts'
import { spec } from './support/spec.ts'

const holder = { card: 'c1', customer: 'ada', book: 'main', account: CHECKING }
const noonPlus = (seconds: number): Date => new Date(Date.parse(NOON) + seconds * 1000)

describe('a visit to a machine', () => {
  const given = spec(CardSession).given
  const opened = {
    type: 'CardSessionOpened',
    data: { ...holder, session: 's1', opened_at: NOON },
  }
  const end = (reason: 'logout' | 'expired' | 'blocked') => ({
    type: 'CardSessionEnded',
    data: { session: 's1', reason, ended_at: NOON },
  })

  test('is opened once', () => {
    given().when('open', opened.data).gives(opened)
    given(opened).when('open', opened.data).happens()
    given(opened, end('logout')).when('open', opened.data).happens()
  })

  test.each(['logout', 'expired', 'blocked'] as const)('ends once by %s', (reason) => {
    const ended = end(reason)
    given(opened).when('end', ended.data).gives(ended)
    given(opened, ended).when('end', ended.data).happens()
    given().when('end', ended.data).happens()
  })

  test('is told that it is over when its holder logs out of it again', () => {
    const { data } = end('logout')
    given(opened).when('logOut', data).gives(end('logout'))
    given(opened, end('expired')).when('logOut', data).rejects('CARD_SESSION_ENDED')
    given().when('logOut', data).rejects('CARD_SESSION_ENDED')
  })

  test('keeps what was asked for and refused, also when it is just over', () => {
    const declined = {
      type: 'CardTransactionDeclined',
      data: {
        ...{ session: 's1', kind: 'withdrawal', amount: '2000' },
        ...{ code: 'INSUFFICIENT_FUNDS', declined_at: NOON },
      },
    }
    given(opened).when('decline', declined.data).gives(declined)
    given(opened, end('expired')).when('decline', declined.data).gives(declined)
    given(opened, declined).when('end', end('logout').data).happens('CardSessionEnded')
  })

  test('ends by a command of the clock or of its holder, whichever is first', async () => {
    const { ask, logIn, types } = await openBranch()
    const { session } = answerOf(await logIn())
    const declined = { session, kind: 'transfer', amount: '1', code: 'ACCOUNT_NOT_FOUND' }
    answerOf(await ask(declineTransaction, declined))
    answerOf(await ask(expireCardSession, { session }))
    answerOf(await ask(expireCardSession, { session }))
    expect(await ask(logOutCard, { session })).toMatchObject({ refused: 'CARD_SESSION_ENDED' })
    expect(types(`card_session-${session}`)).toEqual([
      'CardSessionOpened',
      'CardTransactionDeclined',
      'CardSessionEnded',
    ])
  })
})

describe('live sessions in Postgres', () => {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  let postgres: EmbeddedPostgres
  let database: Pool
  let sessions: LiveCardSessions
  let made = 0

  beforeAll(async () => {
    chmodSync(directory, 0o711)
    postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') })
    database = await connectPostgres({ url: postgres.url, name: 'daybook-test', max: 8 })
    sessions = await createCardSessions(database)
  })
  afterAll(async () => {
    await database.end()
    await postgres.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** A session opened at noon, of a card of its own unless one is named. */
  const open = async (card?: string) => {
    made += 1
    const digest = `digest-${made}`
    const one = { ...holder, card: card ?? `card-${made}`, session: `session-${made}` }
    await sessions.open(digest, one, noonPlus(0))
    return { one, use: (seconds: number) => sessions.use(digest, noonPlus(seconds)) }
  }

  test('is alive for 120 seconds after its last use, and not a millisecond longer', async () => {
    const { one, use } = await open()
    expect(await use(120)).toEqual(one)
    const late = await open()
    expect(await late.use(120.001)).toBeUndefined()
  })

  test('is renewed by each use, and by nothing else', async () => {
    const { one, use } = await open()
    expect(await use(119)).toEqual(one)
    expect(await use(239)).toEqual(one)
    expect(await use(359.001)).toBeUndefined()
    // A use that came too late renews nothing.
    expect(await use(360)).toBeUndefined()
  })

  test('are two when a card logs in twice, and each ends by itself', async () => {
    const first = await open('card-shared')
    const second = await open('card-shared')
    expect((await sessions.ofCard('card-shared')).toSorted()).toEqual(
      [first.one.session, second.one.session].toSorted(),
    )
    await second.use(100)
    expect(await first.use(121)).toBeUndefined()
    expect(await second.use(121)).toEqual(second.one)
    await sessions.end(second.one.session)
    expect(await second.use(122)).toBeUndefined()
    expect(await sessions.ofCard('card-shared')).toEqual([first.one.session])
    await sessions.end(second.one.session)
  })

  test('is nobody behind an unknown digest', async () => {
    expect(await sessions.use('never given', noonPlus(0))).toBeUndefined()
    expect(await sessions.ofCard('never issued')).toEqual([])
  })

  test('have expired when no use would renew them, the longest ago first', async () => {
    await database.query('delete from live_card_sessions')
    const [a, b, c] = [await open(), await open(), await open()]
    await b.use(0.5)
    await c.use(1)
    const names = async (seconds: number, limit = 10) =>
      (await sessions.expired(noonPlus(seconds), limit)).map(({ session }) => session)
    expect(await names(120)).toEqual([])
    expect(await names(120.001)).toEqual([a.one.session])
    const all = [a, b, c].map(({ one }) => one.session)
    expect(await names(122)).toEqual(all)
    expect(await names(122, 2)).toEqual(all.slice(0, 2))
    expect(await sessions.expired(noonPlus(121), 1)).toMatchObject([
      { ...holder, card: a.one.card },
    ])
  })

  test('has many uses at once all find it, or none', async () => {
    const { one, use } = await open()
    const at120 = await Promise.all(Array.from({ length: 20 }, () => use(120)))
    expect(at120).toEqual(Array(20).fill(one))
    await sessions.end(one.session)
    const ended = await Promise.all(Array.from({ length: 20 }, () => use(120)))
    expect(ended).toEqual(Array(20).fill(undefined))
  })

  test('is each answered for itself when many come together, the dead and the unknown too', async () => {
    const opened = await Promise.all(Array.from({ length: 12 }, () => open()))
    const ended = opened[3]
    await sessions.end(ended?.one.session ?? '')
    const together = opened.map(({ use }, n) => use(n === 5 ? 121 : 60))
    const unknown = sessions.use('never given', noonPlus(60))
    const expected = opened.map(({ one }, n) => (n === 3 || n === 5 ? undefined : one))
    expect(await Promise.all(together)).toEqual(expected)
    expect(await unknown).toBeUndefined()
    // Each was renewed from its own moment.
    expect(await opened[0]?.use(180)).toEqual(opened[0]?.one)
    expect(await opened[1]?.use(180.001)).toBeUndefined()
  })

  test('is judged use by use when several of one session come together', async () => {
    const [other, session, dead] = [await open(), await open(), await open()]
    const uses = [other.use(1), session.use(119), session.use(121), dead.use(120.001)]
    const [, ...rest] = await Promise.all([...uses, dead.use(120)])
    expect(rest).toEqual([session.one, session.one, undefined, dead.one])
  })

  test('outlives its process, and two processes that start at once share the table', async () => {
    const { one, use } = await open()
    await database.query('alter table live_card_sessions rename to kept')
    const both = await Promise.all([createCardSessions(database), createCardSessions(database)])
    await database.query(
      'drop table live_card_sessions; alter table kept rename to live_card_sessions',
    )
    for (const others of both) expect(await others.ofCard(one.card)).toEqual([one.session])
    expect(await use(1)).toEqual(one)
  })
})
