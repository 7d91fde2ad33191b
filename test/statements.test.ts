import { describe, expect, test } from 'vitest'
import { addAsset, openAccount } from '../commands/ledger/index.ts'
import {
  completeStatement,
  failStatement,
  lookAtStatement,
  requestStatement,
} from '../commands/statements.ts'
import { Statement, type StatementRequest } from '../domain/statements.ts'
import { answerOf, BENS, CHECKING, codeOf, NOON, openBranch, staff } from './machine-support.ts'
import { spec } from './support/spec.ts'

const asked: StatementRequest = {
  ...{ statement: 's1', book: 'main', account: CHECKING, customer: 'ada' },
  ...{ from: '2026-02-01', to: '2026-02-28', requested_at: NOON },
  file: 'stmt-1000-0001-0001-20260201-20260228.pdf',
}
const figures = { transactions: 3, opening: '100000', closing: '-5' }
const file = { sha256: 'a'.repeat(64), bytes: 1000, pages: 1 }
const made = { statement: 's1', ...figures, ...file, completed_at: NOON }
const failed = { statement: 's1', reason: 'The disk is full.', failed_at: NOON }

describe('a statement', () => {
  const given = spec(Statement).given
  const requested = { type: 'StatementRequested', data: asked }
  const completed = { type: 'StatementCompleted', data: made }
  const ended = [completed, { type: 'StatementFailed', data: failed }]

  test('is asked for once', () => {
    given().when('request', asked).gives(requested)
    given(requested).when('request', asked).rejects('STATEMENT_EXISTS')
  })

  test('is completed, or fails', () => {
    given(requested).when('complete', made).gives(completed)
    given(requested).when('fail', failed).happens('StatementFailed')
  })

  test.each(ended)('ends once: %o', (end) => {
    given(requested, end).when('complete', made).happens()
    given(requested, end).when('fail', failed).happens()
    given(requested, end).when('request', asked).rejects('STATEMENT_EXISTS')
  })

  test('that nobody asked for is not made', () => {
    given().when('complete', made).happens()
    given().when('fail', failed).happens()
  })

  test('knows while it is asked for what was asked', () => {
    expect(given(requested).state).toEqual({ status: 'requested', request: asked })
    expect(given(requested, completed).state).toEqual({ status: 'completed', request: asked })
  })
})

describe('asking for a statement', () => {
  const period = { from: '2026-02-01', to: '2026-02-28' }
  const asking = async () => {
    const branch = await openBranch()
    const ada = await branch.holder(CHECKING)
    const request = (more: object = {}, context: object = ada) =>
      branch.ask(requestStatement, { book: 'main', account: CHECKING, ...period, ...more }, context)
    return { ...branch, ada, request }
  }

  test('names its file by the account and the days, and its customer', async () => {
    const { ports, request, ada } = await asking()
    const answer = answerOf(await request())
    expect(answer).toMatchObject({ ...period, customer: ada.actor.id, requested_at: NOON })
    expect(answer.file).toBe('stmt-1000-0001-0001-20260201-20260228.pdf')
    expect(await lookAtStatement(ports, answer.statement)).toMatchObject({ status: 'requested' })
  })

  test('is for programs too, where the asset is a currency', async () => {
    const { ask, request } = await asking()
    const answer = answerOf(await request({ format: 'camt.053' }))
    expect(answer).toMatchObject({ format: 'camt.053' })
    expect(answer.file).toBe('stmt-1000-0001-0001-20260201-20260228.xml')
    answerOf(await ask(addAsset, { book: 'main', asset: 'GOLD/6' }))
    const gold = { book: 'main', account: 'gold:1', asset: 'GOLD/6', type: 'liability' as const }
    answerOf(await ask(openAccount, { ...gold, name: 'Gold', owner: 'ada' }))
    const of = (format: string) => request({ account: 'gold:1', format }, { actor: staff })
    expect(await of('camt.053')).toMatchObject({
      ...{ refused: 'STATEMENT_FORMAT_UNFIT', facts: { asset: 'GOLD/6' } },
    })
    expect(answerOf(await of('pdf')).file).toBe('stmt-GOLD-1-20260201-20260228.pdf')
  })

  test.each([
    ['that ends before it begins', { from: '2026-02-02', to: '2026-02-01' }],
    ['that ends tomorrow', { to: '2026-03-11' }],
    ['of more than seven years', { from: '2019-01-01', to: '2026-02-01' }],
  ])('of a period %s is refused', async (_what, input) => {
    const { request } = await asking()
    const whole = { ...period, ...input }
    expect(await request(input)).toMatchObject({
      ...{ refused: 'STATEMENT_PERIOD_INVALID', facts: whole },
    })
  })

  test.each([
    ['of one day', { from: '2026-02-01', to: '2026-02-01' }],
    ['that ends today', { to: '2026-03-10' }],
    ['of today', { from: '2026-03-10', to: '2026-03-10' }],
    ['before there was an account', { from: '2025-01-01', to: '2025-01-31' }],
    ['of seven years', { from: '2019-03-12', to: '2026-03-10' }],
  ])('of a period %s is not', async (_what, input) => {
    const { request } = await asking()
    expect(codeOf(await request(input))).toBeUndefined()
  })

  test('goes by the UTC day, to the millisecond', async () => {
    const { request, go } = await asking()
    go('2026-03-10T23:59:59.999Z')
    expect(codeOf(await request({ to: '2026-03-11' }))).toBe('STATEMENT_PERIOD_INVALID')
    go('2026-03-11T00:00:00.000Z')
    expect(codeOf(await request({ to: '2026-03-11' }))).toBeUndefined()
  })

  test('of an account that is not there, or of somebody else, finds none', async () => {
    const { request } = await asking()
    for (const account of ['customers:nowhere', BENS, 'cash:vault']) {
      expect(codeOf(await request({ account }))).toBe('ACCOUNT_NOT_FOUND')
    }
    const teller = { actor: { id: 't', roles: ['staff' as const] } }
    expect(codeOf(await request({ account: BENS }, teller))).toBeUndefined()
    expect(codeOf(await request({ account: 'cash:vault' }, teller))).toBe('ACCOUNT_NOT_FOUND')
  })

  test('repeated with its key is the same one', async () => {
    const { request, ada } = await asking()
    const first = answerOf(await request({}, { ...ada, key: 'once' }))
    expect(answerOf(await request({}, { ...ada, key: 'once' }))).toEqual(first)
    expect(answerOf(await request()).statement).not.toBe(first.statement)
  })
})

describe('how a statement ended', () => {
  test('is said by the maker alone, and once', async () => {
    const { ports, ask, holder } = await openBranch()
    const ada = await holder(CHECKING)
    const days = { from: '2026-02-01', to: '2026-02-28' }
    const request = { book: 'main', account: CHECKING, ...days }
    const { statement } = answerOf(await ask(requestStatement, request, ada))
    const complete = (who: object) =>
      ask(completeStatement, { statement, ...figures, ...file }, who)
    const fail = (who: object) => ask(failStatement, { statement, reason: 'x' }, who)
    const maker = { actor: { id: 'system', roles: ['system' as const] } }
    expect(codeOf(await complete(ada))).toBe('NOT_PERMITTED')
    expect(codeOf(await fail(ada))).toBe('NOT_PERMITTED')
    answerOf(await complete(maker))
    answerOf(await fail(maker))
    expect(await lookAtStatement(ports, statement)).toMatchObject({ status: 'completed' })
    const nowhere = { statement: 'nowhere', reason: 'x' }
    expect(codeOf(await ask(failStatement, nowhere, maker))).toBe('RESOURCE_UNKNOWN')
  })
})
