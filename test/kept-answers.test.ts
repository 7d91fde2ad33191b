import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerOnce, type KeptAnswers } from '../api/kept_answers.ts'
import { ProblemError, problem } from '../api/problems.ts'
import type { Answer, Call } from '../api/route.ts'
import { startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { createKeptAnswers } from '../infra/postgres/kept_answers.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'

const directory = mkdtempSync(join(tmpdir(), 'daybook-answers-'))
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>
let pool: Pool
let answers: KeptAnswers
let keys = 0

beforeAll(async () => {
  postgres = await startEmbeddedPostgres({ directory })
  pool = await connectPostgres({ url: postgres.url, name: 'test', max: 4 })
  answers = await createKeptAnswers(pool)
})
afterAll(async () => {
  await pool.end()
  await postgres.close()
  rmSync(directory, { recursive: true, force: true })
})

const at = (time: string): Date => new Date(`2026-03-${time}Z`)
const NOON = at('10T12:00:00.000')

const asked = (more: object = {}) => {
  keys += 1
  return { scope: 'POST /a', actor: 'ada', key: `key-${keys}`, digest: 'd', ...more }
}

test('of many with a key at once, one is the first', async () => {
  const mine = asked()
  const claims = await Promise.all(Array.from({ length: 10 }, () => answers.claim(mine, NOON)))
  expect(claims.map(({ is }) => is).sort()).toEqual(['first', ...Array(9).fill('under way')])
})

test('an answer is given again for a day to the same request, and to no other', async () => {
  const mine = asked()
  await answers.claim(mine, NOON)
  await answers.keep(mine, { status: 201, body: { id: 1 } })
  const kept = { is: 'answered', kept: { status: 201, body: { id: 1 } } }
  expect(await answers.claim(mine, at('11T11:59:59.999'))).toEqual(kept)
  expect(await answers.claim({ ...mine, digest: 'e' }, NOON)).toEqual({ is: 'another request' })
  for (const other of [{ scope: 'POST /b' }, { actor: 'ben' }, { key: 'another' }]) {
    expect(await answers.claim({ ...mine, ...other }, NOON)).toMatchObject({ is: 'first' })
  }
  const since = at('11T12:00:00.000')
  expect(await answers.claim({ ...mine, digest: 'e' }, since)).toEqual({ is: 'first', since })
})

test('what a process left that ended is gone on with a minute later, as of the first', async () => {
  const mine = asked()
  await answers.claim(mine, NOON)
  expect(await answers.claim(mine, at('10T12:00:59.999'))).toEqual({ is: 'under way' })
  const later = at('10T12:01:00.000')
  const others = { ...mine, digest: 'e' }
  expect(await answers.claim(others, later)).toEqual({ is: 'another request' })
  expect(await answers.claim(mine, later)).toEqual({ is: 'first', since: NOON })
  expect(await answers.claim(mine, later)).toEqual({ is: 'under way' })
})

test('what is older than a day is swept away', async () => {
  await answers.claim(asked(), NOON)
  const fresh = await createKeptAnswers(pool)
  await fresh.claim(asked(), at('12T12:00:00.000'))
  const { rows } = await pool.query('select count(*)::int as count from kept_answers')
  expect(rows).toEqual([{ count: 1 }])
})

/** A call with a key, as far as it is looked at here. */
const callOf = (key: string): Call =>
  ({
    ...{ key, at: NOON, input: { amount: '1' }, identity: { id: 'ada' } },
    request: new Request('http://localhost/api/things/', { method: 'POST' }),
    services: { answers, ports: { secrets: { digest: (text: string) => text } } },
  }) as unknown as Call

test('a refusal is kept; who asks too often or meets a fault may ask again', async () => {
  const failing = async (key: string, error: Error) => {
    const outcomes: string[] = []
    let runs = 0
    const run = async (): Promise<Answer> => {
      runs += 1
      throw error
    }
    for (const _ of [1, 2]) {
      await answerOnce(callOf(key), run).catch((caught: Error) => outcomes.push(caught.message))
    }
    expect(outcomes).toEqual([error.message, error.message])
    return runs
  }
  const refusal = (code: 'INSUFFICIENT_FUNDS' | 'RATE_LIMITED' | 'UNAUTHENTICATED') =>
    new ProblemError(problem(code, code))
  expect(await failing('refused', refusal('INSUFFICIENT_FUNDS'))).toBe(1)
  expect(await failing('limited', refusal('RATE_LIMITED'))).toBe(2)
  expect(await failing('unknown', refusal('UNAUTHENTICATED'))).toBe(2)
  expect(await failing('broken', new Error('broken'))).toBe(2)
})

test('the commands beneath get a key that is the same when it is gone on with', async () => {
  const seen: (string | undefined)[] = []
  const run = async ({ key }: Call): Promise<Answer> => {
    seen.push(key)
    if (seen.length === 1) throw new Error('ended')
    return { body: {} }
  }
  await answerOnce(callOf('twice'), run).catch(() => undefined)
  await answerOnce(callOf('twice'), run)
  expect(seen).toEqual([`twice@${NOON.getTime()}`, `twice@${NOON.getTime()}`])
})
