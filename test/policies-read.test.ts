import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { type Command, execute } from '../commands/kernel.ts'
import { openBook } from '../commands/ledger/index.ts'
import {
  declareRule,
  listAccount,
  retireRule,
  setPolicy,
  snoozeRule,
} from '../commands/policies.ts'
import { uuidv5 } from '../domain/ids.ts'
import type { TransactionLabelled } from '../domain/labels.ts'
import type { TransactionScored } from '../domain/risk.ts'
import type { Query } from '../projections/kernel.ts'
import { labelBook } from '../projections/labels.ts'
import { accountBook } from '../projections/ledger/accounts.ts'
import { policyBook } from '../projections/policies.ts'
import { getPolicy, listListed, listRules } from '../projections/policy_queries.ts'
import { scoreBook } from '../projections/risk.ts'
import { getScore } from '../projections/risk_queries.ts'
import { accepted, administrator, useWorld } from './people-support.ts'

const world = useWorld()
const NOW = new Date('2026-03-10T12:00:00.000Z')
const hoursAgo = (hours: number): string => new Date(NOW.getTime() - hours * 36e5).toISOString()

const act = async <Input extends z.ZodType, Values, Answer>(
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
) => {
  const context = world.context(administrator, { at: NOW })
  return accepted(await execute(world.ports, command, command.input.parse(input), context))
}

const ask = <Input extends z.ZodType, Answer>(
  { input, run }: Query<Input, Answer>,
  wanted: z.input<Input>,
): Promise<Answer> => {
  const asker = { id: 'ada', reach: 'all', at: NOW } as const
  return run(world.database, input.parse(wanted), asker, world.ports.vault)
}

/** A book of the test's own, and the read models as they are once the log has all of it. */
const bookOf = async (book: string) => {
  await act(openBook, { book, name: book, assets: ['USD/2'] })
  const reached = await world.project([accountBook, policyBook, scoreBook, labelBook])
  return async () => reached((await world.ports.store.head()) ?? undefined)
}

const movement = (book: string, entry: string) => ({
  ...{ book, entry, account: 'customers:ada', counterparty: 'customers:bob', amount: '2500' },
  ...{ asset: 'USD/2', booked_at: hoursAgo(0) },
})

const append = (stream: string, type: string, all: readonly { entry: string }[]) =>
  world.ports.store.append(
    stream,
    -1,
    all.map((data) => ({ id: uuidv5(`${stream} ${data.entry}`), type, data, metadata: {} })),
  )

const score = (
  book: string,
  entry: string,
  more: Partial<TransactionScored> = {},
): TransactionScored => ({
  ...{ ...movement(book, entry), revision: 1, kind: 'transfer', model: 'test-1', features: {} },
  ...{ probability: 0.25, decision: 'approve', reasons: [], scored_at: hoursAgo(1), ...more },
})

const hit = (rule: string, shadow = false) => ({ rule, outcome: 'review' as const, shadow })

const label = (book: string, entry: string, fraud: boolean): TransactionLabelled => ({
  ...{ ...movement(book, entry), fraud, source: 'customer', note: '', labelled_at: hoursAgo(0) },
})

const rule = (book: string, name: string) => ({
  ...({ book, rule: name, description: 'A lot', outcome: 'review', mode: 'live' } as const),
  when: [{ field: 'amount', at_least: 100 }],
})

describe('the policy of a book', () => {
  test('is the usual one until it is set, and of books that are there', async () => {
    const shown = await bookOf('usual')
    await shown()
    const usual = { review_from: null, block_from: null, when_unsure: 'hold', brake: null }
    expect(await ask(getPolicy, { book: 'usual' })).toEqual({
      ...{ book: 'usual', ...usual, set_by: null, set_at: null },
    })
    expect(await ask(getPolicy, { book: 'nowhere' })).toBeUndefined()
    const brake = { window_minutes: 60, most_share: 0.25, least_movements: 10 }
    const terms = { review_from: 0.5, block_from: 0.75, when_unsure: 'open', brake } as const
    await act(setPolicy, { book: 'usual', ...terms })
    await shown()
    const set = { book: 'usual', ...terms, set_by: 'root', set_at: NOW }
    expect(await ask(getPolicy, { book: 'usual' })).toEqual(set)
    await act(setPolicy, { book: 'usual', ...terms, brake: null })
    await shown()
    expect(await ask(getPolicy, { book: 'usual' })).toEqual({ ...set, brake: null })
  })

  test('shows who is on each list, page by page', async () => {
    const shown = await bookOf('listing')
    const listed = { book: 'listing', list: 'block', reason: 'Named' } as const
    for (const account of ['customers:c', 'customers:a', 'customers:b']) {
      await act(listAccount, { ...listed, account })
    }
    await act(listAccount, { ...listed, list: 'allow', account: 'customers:d' })
    await shown()
    const wanted = { book: 'listing', list: 'block', limit: 2 } as const
    const first = await ask(listListed, wanted)
    const second = await ask(listListed, { ...wanted, cursor: first.next_cursor ?? '' })
    const accounts = [first, second].map(({ items }) => items.map(({ account }) => account))
    expect(accounts).toEqual([['customers:a', 'customers:b'], ['customers:c']])
    expect(second.next_cursor).toBeNull()
  })
})

describe('rules', () => {
  test('show how often each spoke, and how often rightly', async () => {
    const shown = await bookOf('ruled')
    for (const name of ['large', 'night', 'quiet']) await act(declareRule, rule('ruled', name))
    await act(snoozeRule, { book: 'ruled', rule: 'quiet', until: hoursAgo(-1) })
    await append('scores-ruled', 'TransactionScored', [
      score('ruled', 'e1', { rules: [hit('large'), hit('night', true)] }),
      score('ruled', 'e2', { rules: [hit('large')], scored_at: hoursAgo(25) }),
      score('ruled', 'e3', { rules: [hit('large')], scored_at: hoursAgo(167) }),
      score('ruled', 'e4', { rules: [hit('large')], scored_at: hoursAgo(169) }),
      score('ruled', 'e5', { rules: [hit('gone')] }),
      score('ruled', 'e6'),
    ])
    await append('scores-another', 'TransactionScored', [
      score('another', 'e1', { rules: [hit('large')] }),
    ])
    await append('labels-ruled', 'TransactionLabelled', [
      ...[label('ruled', 'e1', true), label('ruled', 'e2', false)],
      ...[label('ruled', 'e4', true), label('ruled', 'e6', true)],
    ])
    await shown()
    const { items } = await ask(listRules, { book: 'ruled' })
    const counts = items.map(({ rule: name, hits_1d, hits_7d, frauds_7d, legitimate_7d }) => [
      ...[name, hits_1d, hits_7d, frauds_7d, legitimate_7d],
    ])
    expect(counts).toEqual([
      ['large', 1, 3, 1, 1],
      ['night', 1, 1, 1, 0],
      ['quiet', 0, 0, 0, 0],
    ])
    expect(items.map(({ snoozed_until }) => snoozed_until)).toEqual([
      ...[null, null, new Date(hoursAgo(-1))],
    ])
    expect(items[0]).toMatchObject({ when: [{ field: 'amount', at_least: 100 }], set_by: 'root' })
  })

  test('come page by page, each with its own counts, and go when they are retired', async () => {
    const shown = await bookOf('paged')
    for (const name of ['a', 'b', 'c']) await act(declareRule, rule('paged', name))
    await append('scores-paged', 'TransactionScored', [
      score('paged', 'e1', { rules: [hit('b'), hit('c')] }),
    ])
    await shown()
    const first = await ask(listRules, { book: 'paged', limit: 2 })
    const second = await ask(listRules, {
      book: 'paged',
      limit: 2,
      cursor: first.next_cursor ?? '',
    })
    const named = [first, second].map(({ items }) => items.map((one) => [one.rule, one.hits_7d]))
    expect(named).toEqual([
      [
        ['a', 0],
        ['b', 1],
      ],
      [['c', 1]],
    ])
    await act(retireRule, { book: 'paged', rule: 'b' })
    await shown()
    const { items } = await ask(listRules, { book: 'paged' })
    expect(items.map((one) => one.rule)).toEqual(['a', 'c'])
  })
})

describe('a score', () => {
  test('shows by whom it was judged and what else was said, and nothing where it was not', async () => {
    const shown = await bookOf('judged')
    const said: Partial<TransactionScored> = {
      ...{ by: 'brake', wanted: 'block', rules: [hit('large')], policy: 7 },
      challengers: [{ model: 'rival-1', probability: 0.75 }],
    }
    await append('scores-judged', 'TransactionScored', [
      score('judged', 'e1', { decision: 'review', ...said }),
      score('judged', 'e2'),
    ])
    await shown()
    expect(await ask(getScore, { book: 'judged', entry: 'e1' })).toMatchObject(said)
    expect(await ask(getScore, { book: 'judged', entry: 'e2' })).toMatchObject({
      ...{ by: 'model', wanted: null, rules: null, policy: null, challengers: null },
    })
  })
})
