import { describe, expect, test } from 'vitest'
import { Case, type Verdict } from '../domain/cases.ts'
import { reachOf } from '../domain/permissions.ts'
import { NOON } from './machine-support.ts'
import { spec } from './support/spec.ts'

const given = spec(Case).given
const LIMIT = '100000'

const openedFor = (amount: string) => ({
  type: 'CaseOpened',
  data: {
    ...{ case: 'c1', book: 'main', entry: 'e1', account: 'customers:ada' },
    ...{ counterparty: 'customers:bob', amount, asset: 'USD/2', booked_at: NOON },
    ...{ probability: 0.75, decision: 'review' as const, opened_by: 'ada', opened_at: NOON },
  },
})
const opened = openedFor(LIMIT)
const large = openedFor('100001')

const proposed = (verdict: Verdict = 'fraud', proposed_by = 'ada') => ({
  type: 'CaseDecisionProposed',
  data: { case: 'c1', verdict, reason: 'why', proposed_by, proposed_at: NOON },
})
const decided = (more: { round?: number; confirmed_by?: string; verdict?: Verdict } = {}) => ({
  type: 'CaseDecided',
  data: {
    ...{ case: 'c1', round: 1, verdict: 'fraud' as const, reason: 'why' },
    ...{ decided_by: 'ada', confirmed_by: null, decided_at: NOON, ...more },
  },
})
const confirmed = {
  type: 'CaseDecisionConfirmed',
  data: { case: 'c1', confirmed_by: 'ben', confirmed_at: NOON },
}
const rejected = {
  type: 'CaseDecisionRejected',
  data: { case: 'c1', reason: 'no', rejected_by: 'ben', rejected_at: NOON },
}
const reopened = {
  type: 'CaseReopened',
  data: { case: 'c1', reason: 'news', reopened_by: 'ben', reopened_at: NOON },
}
const assigned = (assignee: string | null) => ({
  type: 'CaseAssigned',
  data: { case: 'c1', assignee, assigned_by: 'ada', assigned_at: NOON },
})
const commented = {
  type: 'CaseCommented',
  data: { case: 'c1', comment: 'Odd.', commented_by: 'ada', commented_at: NOON },
}

const ruling = (more: { verdict?: Verdict; alone?: boolean } = {}) => ({
  ...{ case: 'c1', verdict: 'fraud' as const, reason: 'why', by: 'ada', at: NOON },
  ...{ alone: true, limit: LIMIT, ...more },
})
const confirmation = (verdict: Verdict = 'fraud', by = 'ben') => ({
  ...{ case: 'c1', verdict, by, at: NOON },
})

describe('a case', () => {
  test('is opened once', () => {
    given().when('open', opened.data).gives(opened)
    given(opened).when('open', opened.data).rejects('CASE_EXISTS', { case: 'c1' })
    given(opened, decided()).when('open', opened.data).rejects('CASE_EXISTS')
  })

  test('is given to somebody, and to nobody, each once', () => {
    given(opened).when('assign', assigned('ben').data).gives(assigned('ben'))
    given(opened, assigned('ben')).when('assign', assigned('ben').data).happens()
    given(opened, assigned('ben')).when('assign', assigned(null).data).gives(assigned(null))
    given(opened).when('assign', assigned(null).data).happens()
  })

  test('is commented on, also twice alike', () => {
    given(opened, commented).when('comment', commented.data).gives(commented)
  })

  test('that is decided refuses everything but being reopened', () => {
    const closed = given(opened, decided())
    closed.when('assign', assigned('ben').data).rejects('CASE_CLOSED')
    closed.when('comment', commented.data).rejects('CASE_CLOSED')
    closed.when('rule', ruling()).rejects('CASE_CLOSED')
    closed.when('confirm', confirmation()).rejects('CASE_CLOSED')
    closed.when('reject', rejected.data).rejects('CASE_CLOSED')
    closed.when('reopen', reopened.data).gives(reopened)
  })

  test('that is open is not reopened', () => {
    given(opened).when('reopen', reopened.data).rejects('CASE_NOT_CLOSED')
    given(opened, proposed()).when('reopen', reopened.data).rejects('CASE_NOT_CLOSED')
  })

  test('that nobody opened is not found', () => {
    given().when('assign', assigned('ben').data).rejects('CASE_NOT_FOUND')
    given().when('comment', commented.data).rejects('CASE_NOT_FOUND')
    given().when('rule', ruling()).rejects('CASE_NOT_FOUND')
    given().when('confirm', confirmation()).rejects('CASE_NOT_FOUND')
    given().when('reject', rejected.data).rejects('CASE_NOT_FOUND')
    given().when('reopen', reopened.data).rejects('CASE_NOT_FOUND')
  })

  test('that is reopened is decided again, in the next round and by the same rules', () => {
    const before = [opened, decided(), reopened]
    given(before)
      .when('rule', ruling())
      .gives(decided({ round: 2 }))
    given(large, proposed(), confirmed, decided({ confirmed_by: 'ben' }), reopened)
      .when('rule', ruling())
      .gives(proposed())
    given(before, proposed())
      .when('confirm', confirmation())
      .gives(confirmed, decided({ round: 2, confirmed_by: 'ben' }))
  })
})

describe('a decision', () => {
  test('up to the limit takes one person', () => {
    given(opened).when('rule', ruling()).gives(decided())
  })

  test('a cent above it takes two', () => {
    given(large).when('rule', ruling()).gives(proposed())
    given(large, proposed())
      .when('confirm', confirmation())
      .gives(confirmed, decided({ confirmed_by: 'ben' }))
  })

  test('is judged by the number and not by the text', () => {
    given(openedFor('99999')).when('rule', ruling()).gives(decided())
    given(openedFor('1000000')).when('rule', ruling()).gives(proposed())
  })

  test('takes two wherever one may not or will not decide alone', () => {
    given(opened)
      .when('rule', ruling({ alone: false }))
      .gives(proposed())
  })

  test('is not confirmed by who proposed it, but may be taken back', () => {
    given(large, proposed()).when('confirm', confirmation('fraud', 'ada')).rejects('NOT_PERMITTED')
    const own = { ...rejected.data, rejected_by: 'ada' }
    given(large, proposed()).when('reject', own).happens('CaseDecisionRejected')
  })

  test('is confirmed as it was read: another may be proposed by now', () => {
    given(large, proposed(), rejected, proposed('legitimate'))
      .when('confirm', confirmation('fraud'))
      .rejects('REVISION_MISMATCH', { verdict: 'legitimate' })
  })

  test('waits alone: nothing else is proposed meanwhile', () => {
    given(large, proposed())
      .when('rule', ruling({ verdict: 'legitimate' }))
      .rejects('CASE_DECISION_PENDING', { verdict: 'fraud', proposed_by: 'ada' })
    given(large, proposed(), rejected).when('rule', ruling()).gives(proposed())
  })

  test('that nobody proposed is neither confirmed nor rejected', () => {
    for (const before of [[large], [large, proposed(), rejected], [opened, decided(), reopened]]) {
      given(before).when('confirm', confirmation()).rejects('CASE_DECISION_NOT_PENDING')
      given(before).when('reject', rejected.data).rejects('CASE_DECISION_NOT_PENDING')
    }
  })
})

test.each([
  ['analyst', true],
  ['manager', true],
  ['admin', true],
  ['auditor', false],
  ['cashier', false],
  ['customer', false],
] as const)('working on cases and deciding them as %s: %s', (role, may) => {
  expect(reachOf([role], 'risk:work') !== undefined).toBe(may)
  expect(reachOf([role], 'risk:decide') !== undefined).toBe(may)
})
