import { describe, expect, test } from 'vitest'
import { confirmDecision, decideCase, openCase, reopenCase } from '../commands/cases.ts'
import { labelTransaction } from '../commands/labels.ts'
import { circumstancesOf, Labels, type TransactionLabelled } from '../domain/labels.ts'
import { reachOf } from '../domain/permissions.ts'
import { openDesk } from './cases-support.ts'
import { answerOf, codeOf, NOON } from './machine-support.ts'
import { spec, stateAfter } from './support/spec.ts'

const given = spec(Labels).given

const labelled = (more: Partial<TransactionLabelled> = {}) => ({
  type: 'TransactionLabelled',
  data: {
    ...{ book: 'main', entry: 'e1', account: 'customers:ada', counterparty: 'customers:bob' },
    ...{ amount: '2500', asset: 'USD/2', booked_at: NOON, fraud: true },
    ...{ source: 'chargeback' as const, note: '4711', labelled_at: NOON, ...more },
  },
})
const concluded = (round: number, fraud: boolean) =>
  labelled({ case: 'c1', round, fraud, source: 'analyst' })
const decision = (round: number, fraud: boolean) => ({
  ...concluded(round, fraud).data,
  ...{ case: 'c1', round },
})
const correction = labelled({ fraud: false, source: 'correction' })

describe('a label', () => {
  test('is recorded, and the same again is nothing', () => {
    given().when('label', labelled().data).gives(labelled())
    given(labelled()).when('label', labelled().data).happens()
    given(labelled())
      .when('label', labelled({ source: 'customer', note: 'He says so too' }).data)
      .happens()
  })

  test('that is different corrects the one before, as often as need be', () => {
    given(labelled()).when('label', correction.data).gives(correction)
    given(labelled(), correction).when('label', labelled().data).gives(labelled())
    expect(given(labelled(), correction).state.get('e1')).toMatchObject({ fraud: false })
  })

  test('is of its entry only', () => {
    const other = labelled({ entry: 'e2' })
    given(labelled()).when('label', other.data).gives(other)
  })
})

describe('the label of a decided case', () => {
  test('is recorded once for each decision, also when it says what is known', () => {
    given().when('conclude', decision(1, true)).gives(concluded(1, true))
    given(labelled()).when('conclude', decision(1, true)).gives(concluded(1, true))
    given(concluded(1, true)).when('conclude', decision(1, true)).happens()
    given(concluded(1, true)).when('conclude', decision(2, true)).gives(concluded(2, true))
  })

  test('told again does not overrule a correction that came between', () => {
    given(concluded(1, true), correction).when('conclude', decision(1, true)).happens()
    given(labelled(), concluded(1, true), correction).when('conclude', decision(1, true)).happens()
    given(concluded(1, true), correction)
      .when('conclude', decision(2, true))
      .gives(concluded(2, true))
  })
})

test('labels come back from a snapshot', () => {
  const state = stateAfter(Labels, [labelled(), concluded(1, true), labelled({ entry: 'e2' })])
  const { snapshot } = Labels
  const saved = JSON.parse(JSON.stringify(snapshot?.save(state)))
  expect(snapshot?.load(saved).rows).toEqual(state.rows)
})

test('where and with what an entry was made is what its metadata say', () => {
  expect(circumstancesOf({ machine: '7', from: 'x' })).toEqual({ terminal: '7' })
  expect(circumstancesOf({ machine: '7', terminal: 't', device: 'd' })).toEqual({
    ...{ terminal: 't', device: 'd' },
  })
  expect(circumstancesOf()).toEqual({})
})

test.each([
  ['analyst', true],
  ['admin', true],
  ['manager', false],
  ['auditor', false],
] as const)('labelling as %s: %s', (role, may) => {
  expect(reachOf([role], 'risk:label') !== undefined).toBe(may)
})

describe('labelling', () => {
  const begin = async () => {
    const desk = await openDesk()
    const ada = await desk.person('ada')
    const ben = await desk.person('ben', 'manager')
    const label = (entry: string, fraud = true) => {
      const source = fraud ? ('chargeback' as const) : ('correction' as const)
      return desk.ask(labelTransaction, { book: 'main', entry, fraud, source, note: '4711' })
    }
    const labels = () => desk.events('labels-main').map(({ data }) => data as TransactionLabelled)
    const openFor = async (entry: string) =>
      answerOf(await desk.ask(openCase, { book: 'main', entry }, ada)).case
    return { ...desk, ada, ben, label, labels, openFor }
  }

  test('keeps what features are made of', async () => {
    const { label, labels, small } = await begin()
    answerOf(await label(small))
    expect(labels()).toEqual([
      {
        ...{ book: 'main', entry: small, account: 'customers:ada', counterparty: 'customers:bob' },
        ...{ amount: '100000', asset: 'USD/2', booked_at: NOON, terminal: '7', device: 'phone' },
        ...{ fraud: true, source: 'chargeback', note: '4711', labelled_at: NOON },
      },
    ])
  })

  test('refuses what was not scored, and a word in an analyst’s name', async () => {
    const { label, unscored, ask } = await begin()
    expect(codeOf(await label(unscored))).toBe('SCORE_NOT_FOUND')
    const input = { book: 'main', entry: unscored, fraud: true, source: 'analyst', note: 'x' }
    expect(() => ask(labelTransaction, input as never)).toThrow('source')
  })

  test('the same twice at once happens once', async () => {
    const { label, labels, small } = await begin()
    for (const outcome of await Promise.all([label(small), label(small)])) answerOf(outcome)
    expect(labels()).toHaveLength(1)
  })

  test('follows from a decision, not from a proposal', async () => {
    const { ask, ada, ben, openFor, labels, large } = await begin()
    const id = await openFor(large)
    const verdict = 'fraud'
    answerOf(await ask(decideCase, { case: id, verdict, reason: 'Skimmed' }, ada))
    expect(labels()).toEqual([])
    answerOf(await ask(confirmDecision, { case: id, verdict }, ben))
    expect(labels()).toMatchObject([
      { entry: large, fraud: true, source: 'analyst', note: 'Skimmed', case: id, round: 1 },
    ])
  })

  test('is not undone by a decision that is repeated with its key after a correction', async () => {
    const { ask, ada, openFor, label, labels, small } = await begin()
    const id = await openFor(small)
    const fraud = { case: id, verdict: 'fraud', reason: 'Skimmed' } as const
    const decide = () => ask(decideCase, fraud, { ...ada, key: 'once' })
    answerOf(await decide())
    answerOf(await label(small, false))
    expect(await decide()).toMatchObject({ replayed: true })
    expect(labels().map((one) => one.fraud)).toEqual([true, false])
  })

  test('is made up for where the process ended before it', async () => {
    const { ask, ada, openFor, labels, small, ports } = await begin()
    const id = await openFor(small)
    const fraud = { case: id, verdict: 'fraud', reason: 'Skimmed' } as const
    const ending: typeof ports = {
      ...ports,
      engine: {
        ...ports.engine,
        submit: async (decider, ...rest) => {
          if (decider === Labels) throw new Error('the process ends')
          return ports.engine.submit(decider, ...rest)
        },
      },
    }
    const decide = (more: object = {}) => ask(decideCase, fraud, { ...ada, key: 'once', ...more })
    await expect(decide({ ports: ending })).rejects.toThrow('the process ends')
    expect(labels()).toEqual([])
    answerOf(await decide())
    expect(labels()).toMatchObject([{ fraud: true, round: 1 }])
  })

  test('follows each decision of a case that is reopened', async () => {
    const { ask, ada, openFor, labels, small } = await begin()
    const id = await openFor(small)
    const decide = async (verdict: 'fraud' | 'legitimate') =>
      answerOf(await ask(decideCase, { case: id, verdict, reason: 'Seen' }, ada))
    await decide('fraud')
    answerOf(await ask(reopenCase, { case: id, reason: 'News' }, ada))
    expect(labels()).toHaveLength(1)
    await decide('legitimate')
    expect(labels()).toMatchObject([
      { fraud: true, round: 1 },
      { fraud: false, round: 2 },
    ])
  })

  test('leaves nothing behind a dry run', async () => {
    const { ask, ada, openFor, labels, small } = await begin()
    const id = await openFor(small)
    const fraud = { case: id, verdict: 'fraud', reason: 'Skimmed' } as const
    answerOf(await ask(decideCase, fraud, { ...ada, dryRun: true }))
    expect(labels()).toEqual([])
  })
})
