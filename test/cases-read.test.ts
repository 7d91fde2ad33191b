import { beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import {
  assignCase,
  commentOnCase,
  confirmDecision,
  decideCase,
  openCase,
  rejectDecision,
  reopenCase,
} from '../commands/cases.ts'
import { type Command, execute } from '../commands/kernel.ts'
import { labelTransaction } from '../commands/labels.ts'
import type { Actor, Score } from '../commands/ports.ts'
import { registerUser } from '../commands/users.ts'
import { caseBook } from '../projections/cases.ts'
import { getCase, listCases } from '../projections/cases_queries.ts'
import { followFreshness } from '../projections/freshness.ts'
import type { Query } from '../projections/kernel.ts'
import { labelBook, listLabels } from '../projections/labels.ts'
import { prepareProjections, runProjector } from '../projections/runner.ts'
import { accepted, administrator, useWorld } from './people-support.ts'

const world = useWorld()
const analyst = (id: string): Actor => ({ id, roles: ['analyst'] })
const [ada, ben] = [analyst('ada'), analyst('ben')]
const score: Score = {
  ...{ account: 'customers:ada', counterparty: 'customers:bob', amount: '2500', asset: 'USD/2' },
  ...{ booked_at: '2026-03-10T12:00:00.000Z', probability: 0.75, decision: 'review' },
}
const cases: Record<string, string> = {}

const act = async <Input extends z.ZodType, Values, Answer>(
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
  actor: Actor = ada,
) => {
  world.advance(1000)
  const ports = { ...world.ports, scores: { find: async () => score } }
  return accepted(await execute(ports, command, command.input.parse(input), world.context(actor)))
}

const ask = <Input extends z.ZodType, Answer>(
  { input, run }: Query<Input, Answer>,
  wanted: z.input<Input>,
): Promise<Answer> => {
  const asker = { id: 'ada', reach: 'all', at: new Date() } as const
  return run(world.database, input.parse(wanted), asker, world.ports.vault)
}

const register = (user: string) => {
  const person = { user, username: user, password: 'a long enough password', name: user }
  return act(registerUser, { ...person, roles: ['analyst'] }, administrator)
}

/** The whole log, into tables that stay as they are then. */
const projectLog = async (): Promise<void> => {
  const { database, ports } = world
  const projections = [caseBook, labelBook]
  const stopping = new AbortController()
  const log = { info: () => undefined, error: () => undefined }
  await prepareProjections(database, projections)
  const { signal } = stopping
  const running = runProjector({ store: ports.store, database, projections, log, signal })
  const freshness = await followFreshness(database, log)
  const head = (await ports.store.head())?.commit ?? 0n
  const names = projections.map(({ name }) => name)
  expect(await freshness.waitFor(names, head, 20_000)).toBe(true)
  stopping.abort()
  await Promise.all([running, freshness.close()])
}

/** e1 is decided, reopened and proposed; e2 decided by two; e3 open; e4, of another book, too. */
beforeAll(async () => {
  for (const user of ['ada', 'ben']) await register(user)
  for (const entry of ['e1', 'e2', 'e3', 'e4']) {
    const book = entry === 'e4' ? 'side' : 'main'
    cases[entry] = (await act(openCase, { book, entry })).answer.case
  }
  const [first, second, third] = ['e1', 'e2', 'e3'].map((entry) => ({ case: cases[entry] ?? '' }))
  if (!first || !second || !third) throw new Error('no cases')
  const fraud = { verdict: 'fraud', reason: 'Skimmed' } as const
  await act(commentOnCase, { ...first, comment: 'Odd.' })
  await act(decideCase, { ...first, ...fraud })
  await act(reopenCase, { ...first, reason: 'News' }, ben)
  await act(decideCase, { ...first, ...fraud, verdict: 'legitimate', propose: true }, ben)
  await act(decideCase, { ...second, ...fraud, propose: true }, ben)
  await act(rejectDecision, { ...second, reason: 'Why?' })
  await act(decideCase, { ...second, ...fraud, propose: true }, ben)
  await act(confirmDecision, { ...second, verdict: 'fraud' })
  await act(assignCase, { ...third, assignee: 'ben' })
  const label = { book: 'main', entry: 'e3', source: 'customer' } as const
  await act(labelTransaction, { ...label, fraud: true, note: 'Not mine' })
  await act(labelTransaction, { ...label, fraud: false, note: 'Mine after all' })
  await projectLog()
})

const entriesOf = ({ items }: { readonly items: readonly { entry: string }[] }): string =>
  items.map(({ entry }) => entry).join(' ')

describe('cases', () => {
  test.each([
    [{}, 'e4 e3 e2 e1'],
    [{ book: 'main' }, 'e3 e2 e1'],
    [{ status: 'open' }, 'e4 e3'],
    [{ status: 'proposed' }, 'e1'],
    [{ status: 'decided' }, 'e2'],
    [{ assignee: 'ben' }, 'e3'],
    [{ assignee: 'ben', status: 'decided' }, ''],
  ] as const)('are listed by %o, newest first', async (wanted, entries) => {
    expect(entriesOf(await ask(listCases, wanted))).toBe(entries)
  })

  test('come page by page', async () => {
    const first = await ask(listCases, { limit: 3 })
    const cursor = first.next_cursor ?? ''
    const second = await ask(listCases, { limit: 3, cursor })
    expect([entriesOf(first), entriesOf(second)]).toEqual(['e4 e3 e2', 'e1'])
    expect(second.next_cursor).toBeNull()
  })

  test('show how they stand', async () => {
    expect(await ask(getCase, { case: cases.e2 ?? '' })).toMatchObject({
      ...{ entry: 'e2', amount: '2500', asset: 'USD/2', probability: 0.75, decision: 'review' },
      ...{ status: 'decided', verdict: 'fraud', reason: 'Skimmed', proposed_by: null },
      ...{ decided_by: 'ben', confirmed_by: 'ada', assignee: null, revision: 5 },
    })
    expect(await ask(getCase, { case: cases.e1 ?? '' })).toMatchObject({
      ...{ status: 'proposed', verdict: 'legitimate', proposed_by: 'ben' },
      ...{ decided_by: null, confirmed_by: null, decided_at: null },
    })
    expect(await ask(getCase, { case: 'none' })).toBeUndefined()
  })

  test('tell what happened in them, oldest first', async () => {
    const told = (await ask(getCase, { case: cases.e1 ?? '' }))?.timeline ?? []
    expect(told.map(({ what, by, verdict, remark }) => [what, by, verdict, remark])).toEqual([
      ['CaseOpened', 'ada', null, null],
      ['CaseCommented', 'ada', null, 'Odd.'],
      ['CaseDecided', 'ada', 'fraud', 'Skimmed'],
      ['CaseReopened', 'ben', null, 'News'],
      ['CaseDecisionProposed', 'ben', 'legitimate', 'Skimmed'],
    ])
    const other = (await ask(getCase, { case: cases.e2 ?? '' }))?.timeline ?? []
    expect(other.map(({ what, by, revision }) => [what, by, revision]).slice(2)).toEqual([
      ['CaseDecisionRejected', 'ada', 2],
      ['CaseDecisionProposed', 'ben', 3],
      ['CaseDecisionConfirmed', 'ada', 4],
      ['CaseDecided', 'ben', 5],
    ])
    const third = (await ask(getCase, { case: cases.e3 ?? '' }))?.timeline ?? []
    expect(third.at(-1)).toMatchObject({ what: 'CaseAssigned', assignee: 'ben' })
  })
})

describe('labels', () => {
  test.each([
    [{}, 'e3 e2 e1'],
    [{ book: 'side' }, ''],
    [{ book: 'main', fraud: 'true' }, 'e2 e1'],
    [{ fraud: 'false' }, 'e3'],
    [{ entry: 'e2' }, 'e2'],
  ] as const)('are listed by %o, the last of each entry', async (wanted, entries) => {
    expect(entriesOf(await ask(listLabels, wanted))).toBe(entries)
  })

  test('come page by page, with what they say', async () => {
    const first = await ask(listLabels, { limit: 2 })
    const second = await ask(listLabels, { limit: 2, cursor: first.next_cursor ?? '' })
    expect([entriesOf(first), entriesOf(second)]).toEqual(['e3 e2', 'e1'])
    expect(first.items[0]).toMatchObject({ fraud: false, source: 'customer', case: null })
    expect(first.items[1]).toMatchObject({ fraud: true, source: 'analyst', case: cases.e2 })
  })
})
