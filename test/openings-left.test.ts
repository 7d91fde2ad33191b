import { beforeAll, expect, test } from 'vitest'
import { approveClosure, requestClosure } from '../commands/closures.ts'
import { openBook } from '../commands/ledger/index.ts'
import { submitOpening } from '../commands/openings.ts'
import { approveOpening, fulfilOpening } from '../commands/openings_decisions.ts'
import { runSchedule } from '../infra/schedule.ts'
import { findClosure } from '../projections/closures_queries.ts'
import { projections } from '../projections/index.ts'
import { findOpening } from '../projections/openings_queries.ts'
import { answerOf, askOn } from './machine-support.ts'
import { useWorld } from './people-support.ts'

const book = 'main'
const asset = 'GHS/2'
const world = useWorld()
const second = { actor: { id: 'second', roles: ['manager' as const] } }

beforeAll(async () => {
  answerOf(await askOn(world.ports)(openBook, { book, name: 'Main', assets: [asset] }))
})

const submit = async (email: string) => {
  const application = {
    ...{ first_name: 'Jane', last_name: 'Smith', date_of_birth: '1992-05-15', email },
    ...{ id_type: 'ghana_card' as const, id_number: 'GHA-123456789-0', phone: '0247654321' },
  }
  const asked = { book, asset, plan: 'shares' as const, application }
  return answerOf(await askOn(world.ports)(submitOpening, asked))
}

test('what was approved by a process that ended is carried out by the clock, once', async () => {
  const { ports, database } = world
  const ask = askOn(ports)
  const caughtUp = await world.project(projections)
  const freshness = { waitFor: async () => true, close: async () => undefined }
  const stopping = new AbortController()
  stopping.abort()
  const log = { error: () => undefined } as never
  const schedule = runSchedule({ ports, database, freshness, log, signal: stopping.signal })

  const waiting = await submit('waiting@example.com')
  const made = await submit('made@example.com')
  answerOf(await ask(approveOpening, { opening: made.opening }, second))
  const { account } = answerOf(await ask(fulfilOpening, { opening: made.opening }))
  const asked = { book, account, reason: 'compliance' as const }
  const { closure, number } = answerOf(await ask(requestClosure, asked))
  answerOf(await ask(approveClosure, { closure }, second))
  const left = await submit('left@example.com')
  answerOf(await ask(approveOpening, { opening: left.opening }, second))

  const asker = { id: 'root', reach: 'all', at: ports.clock() } as const
  const statuses = async () => {
    await caughtUp(await ports.store.head())
    const find = (one: { number: number }) =>
      findOpening.run(database, { book, asset, number: one.number }, asker, ports.vault)
    const closed = await findClosure.run(database, { book, asset, number }, asker, ports.vault)
    return [(await find(waiting))?.status, (await find(left))?.status, closed?.status]
  }
  // Whoever approved them is still at work on them, as far as anybody knows.
  expect(await statuses()).toEqual(['pending', 'accepted', 'accepted'])
  expect(await schedule.catchUp()).toBe(false)
  world.advance(10_000)
  expect(await schedule.catchUp()).toBe(true)
  expect(await statuses()).toEqual(['pending', 'approved', 'approved'])
  expect(await schedule.catchUp()).toBe(false)
})
