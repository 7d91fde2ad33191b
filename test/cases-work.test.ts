import { describe, expect, test } from 'vitest'
import {
  assignCase,
  commentOnCase,
  confirmDecision,
  decideCase,
  openCase,
  rejectDecision,
  reopenCase,
} from '../commands/cases.ts'
import { createEngine } from '../commands/engine.ts'
import { disableUser } from '../commands/users.ts'
import { openDesk } from './cases-support.ts'
import { answerOf, codeOf, NOON } from './machine-support.ts'
import { type MemoryPorts, noSnapshots } from './support/memory.ts'

describe('an analyst', () => {
  const begin = async () => {
    const desk = await openDesk()
    const ada = await desk.person('ada')
    const ben = await desk.person('ben', 'manager')
    const open = async (entry: string) =>
      answerOf(await desk.ask(openCase, { book: 'main', entry }, ada)).case
    return { ...desk, ada, ben, open }
  }

  test('opens a case of a scored entry, with what was known when', async () => {
    const { ask, ada, small } = await begin()
    expect(answerOf(await ask(openCase, { book: 'main', entry: small }, ada))).toMatchObject({
      ...{ book: 'main', entry: small, account: 'customers:ada', counterparty: 'customers:bob' },
      ...{ amount: '100000', asset: 'USD/2', probability: 0.75, decision: 'review' },
      ...{ terminal: '7', device: 'phone', opened_by: 'ada', opened_at: NOON },
    })
  })

  test('opens none of what has no score, or has one', async () => {
    const { ask, unscored, small, open } = await begin()
    const asked = (entry: string, book = 'main') => ask(openCase, { book, entry })
    expect(codeOf(await asked(unscored))).toBe('SCORE_NOT_FOUND')
    expect(codeOf(await asked(small, 'other'))).toBe('SCORE_NOT_FOUND')
    const id = await open(small)
    expect(await asked(small)).toMatchObject({ refused: 'CASE_EXISTS', facts: { case: id } })
  })

  test('and another who open a case at once: one opens it', async () => {
    const { ask, ada, ben, small } = await begin()
    const outcomes = await Promise.all(
      [ada, ben].map((person) => ask(openCase, { book: 'main', entry: small }, person)),
    )
    expect(outcomes.map(codeOf)).toEqual([undefined, 'CASE_EXISTS'])
  })

  test('gives it to those who can work on it only', async () => {
    const { ask, person, open, small } = await begin()
    await person('cora', 'cashier')
    await person('dan')
    answerOf(await ask(disableUser, { user: 'dan', reason: 'left' }))
    const id = await open(small)
    const assign = (assignee: string | null) => ask(assignCase, { case: id, assignee })
    expect(codeOf(await assign('nobody'))).toBe('USER_NOT_FOUND')
    expect(codeOf(await assign('dan'))).toBe('USER_DISABLED')
    expect(codeOf(await assign('cora'))).toBe('CASE_ASSIGNEE_UNSUITABLE')
    expect(answerOf(await assign('ben'))).toEqual({ case: id, assignee: 'ben' })
    expect(answerOf(await assign(null))).toEqual({ case: id, assignee: null })
    expect(codeOf(await ask(assignCase, { case: 'none', assignee: null }))).toBe('CASE_NOT_FOUND')
  })

  test('works on it to the end, and everything says who did it', async () => {
    const { ask, ada, ben, open, small, events } = await begin()
    const id = await open(small)
    answerOf(await ask(commentOnCase, { case: id, comment: ' Odd. ' }, ada))
    const fraud = { case: id, verdict: 'fraud', reason: 'Skimmed' } as const
    expect(answerOf(await ask(decideCase, fraud, ada)).status).toBe('decided')
    answerOf(await ask(reopenCase, { case: id, reason: 'News' }, ben))
    const legitimate = { ...fraud, verdict: 'legitimate', propose: true } as const
    expect(answerOf(await ask(decideCase, legitimate, ben)).status).toBe('proposed')
    answerOf(await ask(rejectDecision, { case: id, reason: 'No' }, ada))
    const [, ...rest] = events(`case-${id}`)
    expect(rest).toMatchObject([
      { type: 'CaseCommented', data: { comment: 'Odd.', commented_by: 'ada' } },
      { type: 'CaseDecided', data: { decided_by: 'ada', confirmed_by: null, round: 1 } },
      { type: 'CaseReopened', data: { reopened_by: 'ben' } },
      { type: 'CaseDecisionProposed', data: { proposed_by: 'ben' } },
      { type: 'CaseDecisionRejected', data: { rejected_by: 'ada' } },
    ])
  })

  test('decides on 1,000.00 alone, and on a cent more with another', async () => {
    const { ask, ada, ben, open, small, large } = await begin()
    const decide = async (entry: string) => {
      const fraud = { case: await open(entry), verdict: 'fraud', reason: 'Skimmed' } as const
      return answerOf(await ask(decideCase, fraud, ada))
    }
    expect((await decide(small)).status).toBe('decided')
    const { case: id, status, verdict } = await decide(large)
    expect(status).toBe('proposed')
    expect(codeOf(await ask(confirmDecision, { case: id, verdict }, ada))).toBe('NOT_PERMITTED')
    expect(answerOf(await ask(confirmDecision, { case: id, verdict }, ben)).status).toBe('decided')
  })

  test('is a person: no key decides or confirms', async () => {
    const { ask, ada, open, small } = await begin()
    const id = await open(small)
    const key = { actor: { id: 'key-1', roles: ['admin' as const] } }
    const fraud = { case: id, verdict: 'fraud', reason: 'Skimmed', propose: true } as const
    expect(codeOf(await ask(decideCase, fraud, key))).toBe('NOT_PERMITTED')
    answerOf(await ask(decideCase, fraud, ada))
    const verdict = 'fraud'
    expect(codeOf(await ask(confirmDecision, { case: id, verdict }, key))).toBe('NOT_PERMITTED')
  })

  /** Each in a process of his own, if not in the same one. */
  const places = (ports: MemoryPorts, apart: boolean): (() => MemoryPorts) =>
    apart ? () => ({ ...ports, engine: createEngine(ports.store, noSnapshots) }) : () => ports

  const outcomesOf = async (asked: readonly Promise<object>[]) => {
    const codes = (await Promise.all(asked)).map(codeOf)
    return { done: codes.filter((code) => code === undefined).length, codes }
  }

  describe.each([
    ['in one process', false],
    ['in a process each', true],
  ])('and others %s', (_where, apart) => {
    test.each([0, 1, 2, 3])('decide at once: exactly one does (%i)', async (first) => {
      const { ask, person, ada, ben, open, small, events, ports } = await begin()
      const id = await open(small)
      const people = [ada, ben, await person('cora'), await person('dan')]
      const place = places(ports, apart)
      const asked = [...people.slice(first), ...people.slice(0, first)].map((one, index) => {
        const verdict = index % 2 === 0 ? 'fraud' : 'legitimate'
        return ask(decideCase, { case: id, verdict, reason: 'Seen' }, { ...one, ports: place() })
      })
      const { done, codes } = await outcomesOf(asked)
      expect(done).toBe(1)
      expect(codes.filter((code) => code === 'CASE_CLOSED')).toHaveLength(3)
      expect(events(`case-${id}`)).toHaveLength(2)
      expect(events('labels-main')).toHaveLength(1)
    })

    test.each([
      ['confirm', 'CaseDecided'],
      ['confirm and reject', ''],
    ])('%s at once: exactly one is heard', async (what, last) => {
      const { ask, person, ada, ben, open, large, events, ports } = await begin()
      const id = await open(large)
      const cora = await person('cora')
      const verdict = 'fraud'
      answerOf(await ask(decideCase, { case: id, verdict, reason: 'Skimmed' }, ada))
      const place = places(ports, apart)
      const confirming = (one: typeof ben) =>
        ask(confirmDecision, { case: id, verdict }, { ...one, ports: place() })
      const rejecting = () =>
        ask(rejectDecision, { case: id, reason: 'No' }, { ...cora, ports: place() })
      const second = what === 'confirm' ? confirming(cora) : rejecting()
      expect((await outcomesOf([confirming(ben), second])).done).toBe(1)
      const types = events(`case-${id}`).map(({ type }) => type)
      if (last) expect(types.at(-1)).toBe(last)
      const endings = types.filter((type) => /Rejected|Decided$/.test(type))
      expect(endings).toHaveLength(1)
    })
  })
})
