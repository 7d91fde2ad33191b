import { describe, expect, test } from 'vitest'
import type { AnyEvent } from '../domain/kernel.ts'
import { Loan } from '../domain/loans/index.ts'
import type { LoanRequest, LoanState } from '../domain/loans/state.ts'
import { NOON } from './machine-support.ts'
import { spec } from './support/spec.ts'

const book = 'main'
const loan = 'l1'

const request: LoanRequest = {
  ...{ loan, number: 7, book, asset: 'GHS/2', borrower: 'ama', product: 'simple' },
  ...{ amount: '100000', rate_basis_points: 1000, term_months: 2, application: '' },
  ...{ requested_by: 'teller', requested_at: NOON },
}
const requested = { type: 'LoanRequested', data: request } as const
const account = 'customers:1'
const approval = (by: string) => ({ loan, account, approved_by: by, approved_at: NOON })
const approving = (by: string, below: string | null = null) => ({ ...approval(by), below })
const approved = { type: 'LoanApproved', data: approval('boss') } as const
const rejection = (by: string) => ({ loan, reason: '', rejected_by: by, rejected_at: NOON })
const booked = (step: string) => ({
  ...{ loan, step, entry: `entry-${step.replace(':', '-')}`, booked_at: NOON, day: '2026-03-10' },
})
const failure = (step: string) => ({
  ...{ loan, step, code: 'ACCOUNT_FROZEN', detail: 'Frozen', failed_at: NOON },
})
const failed = (step: string) => ({ type: 'LoanStepFailed', data: failure(step) }) as const

const { given } = spec(Loan)

type History = readonly AnyEvent[]
const booking = (history: History, step: string): History => [
  ...history,
  ...given(history).when('complete', booked(step)).events(),
]
const paying = (amount: string) => ({
  ...{ loan, account, amount, accepted_by: 'ama', accepted_at: NOON },
})
const accepting = (history: History, amount: string): History => [
  ...history,
  ...given(history).when('repay', paying(amount)).events(),
]
const look = (day: string) => ({ loan, day, at: NOON })
const looking = (history: History, day: string): History => [
  ...history,
  ...given(history).when('age', look(day)).events(),
]
const losing = (by: string) => ({ loan, reason: '', accepted_by: by, accepted_at: NOON })

const rejected = { type: 'LoanRejected', data: rejection('boss') } as const
const active = booking([requested, approved], 'disburse')
const defaulted = looking(active, '2026-07-10')
const givenUp = [...defaulted, ...given(defaulted).when('writeOff', losing('chief')).events()]
const lost = booking(givenUp, 'write-off')

describe('a loan that is filed', () => {
  test('is decided about once, by somebody with no part in it', () => {
    given(requested).when('approve', approving('boss')).gives(approved)
    given(requested).when('reject', rejection('boss')).gives(rejected)
    for (const by of ['ama', 'teller']) {
      given(requested).when('approve', approving(by)).rejects('MAKER_IS_CHECKER')
      given(requested).when('reject', rejection(by)).rejects('MAKER_IS_CHECKER')
    }
    for (const before of [[requested, approved], [requested, rejected], active]) {
      given(before).when('approve', approving('chief')).rejects('LOAN_NOT_PENDING')
      given(before).when('reject', rejection('chief')).rejects('LOAN_NOT_PENDING')
    }
  })

  test('is at most so large that its total is an amount, too', () => {
    const most = { ...request, amount: '9'.repeat(20), rate_basis_points: 10_000, term_months: 360 }
    given().when('request', most).happens('LoanRequested')
    given()
      .when('request', { ...request, amount: `1${'0'.repeat(20)}` })
      .rejects('BALANCE_TOO_LARGE')
    const lent = booking([{ type: 'LoanRequested', data: most }, approved], 'disburse')
    looking(lent, '2200-01-01')
    booking(accepting(lent, '1'), 'repay:1')
  })

  test('is approved only below the limit of who approves it', () => {
    given(requested).when('approve', approving('boss', '100000')).rejects('LOAN_ABOVE_LIMIT')
    given(requested).when('approve', approving('boss', '100001')).gives(approved)
  })

  test('needs an account to be paid out to, which is the last thing that is looked at', () => {
    const nowhere = { ...approving('boss'), account: null }
    given(requested).when('approve', nowhere).rejects('LOAN_ACCOUNT_UNFIT')
    given(active).when('approve', nowhere).rejects('LOAN_NOT_PENDING')
  })

  test('waits again when it could not be paid out', () => {
    const refused = [requested, approved, failed('disburse')]
    expect(given(refused).state).toMatchObject({ status: 'pending', step: null })
    given(refused).when('approve', approving('chief')).happens('LoanApproved')
    // Somebody else, who carried it out at the same time, had it booked.
    given(refused).when('complete', booked('disburse')).happens('LoanDisbursed')
  })
})

describe('a loan that is paid out', () => {
  test('has a schedule from the day of the entry on', () => {
    expect((given(active).state as LoanState).instalments).toEqual([
      { due: '2026-04-10', principal: '50000', interest: '833' },
      { due: '2026-05-10', principal: '50000', interest: '834' },
    ])
    expect(active.at(-1)?.data).toMatchObject({ next_check_on: '2026-04-11' })
    given(active).when('complete', booked('disburse')).happens()
  })

  test('takes interest before principal, the oldest first', () => {
    const [first] = given(active).when('repay', paying('51000')).events()
    expect(first?.data).toMatchObject({ repayment: 1, interest: '1000', principal: '50000' })
    const half = booking(accepting(active, '51000'), 'repay:1')
    const [second] = given(half).when('repay', paying('10000')).events()
    expect(second?.data).toMatchObject({ repayment: 2, interest: '667', principal: '9333' })
  })

  test('is paid off by the last pesewa, and takes no more', () => {
    given(active).when('repay', paying('101668')).rejects('REPAYMENT_TOO_LARGE', { left: '101667' })
    const accepted = accepting(active, '101667')
    given(accepted).when('complete', booked('repay:1')).happens('LoanRepaid', 'LoanPaidOff')
    const done = booking(accepted, 'repay:1')
    expect(given(done).state).toMatchObject({ status: 'paid_off' })
    given(done).when('repay', paying('1')).rejects('LOAN_NOT_RUNNING')
  })

  test('is repaid by one at a time', () => {
    const accepted = accepting(active, '100')
    given(accepted).when('repay', paying('100')).rejects('LOAN_STEP_UNDER_WAY')
    const refused = [...accepted, failed('repay:1')]
    expect(given(refused).state).toMatchObject({ paid: 0n, step: null })
    const [next] = given(refused).when('repay', paying('100')).events()
    expect(next?.data).toMatchObject({ repayment: 2 })
  })

  test.each([[[requested]], [[requested, approved]]])('and not before it is', (history) => {
    given(history).when('repay', paying('1')).rejects('LOAN_NOT_RUNNING')
  })
})

describe('a loan that is not repaid', () => {
  test('misses each instalment once, the day after it was due', () => {
    given(active).when('age', look('2026-04-10')).happens()
    given(active).when('age', look('2026-04-11')).happens('LoanInstalmentMissed')
    const missed = looking(active, '2026-04-11')
    expect(missed.at(-1)?.data).toMatchObject({
      ...{ instalment: 1, due: '2026-04-10', amount: '50833', next_check_on: '2026-05-11' },
    })
    given(missed).when('age', look('2026-05-10')).happens()
    given(missed).when('age', look('2026-05-11')).happens('LoanInstalmentMissed')
  })

  test('is in default more than 90 days after the oldest was due', () => {
    const types = ['LoanInstalmentMissed', 'LoanInstalmentMissed']
    given(active)
      .when('age', look('2026-07-09'))
      .happens(...types)
    const almost = looking(active, '2026-07-09')
    expect(almost.at(-1)?.data).toMatchObject({ next_check_on: '2026-07-10' })
    given(almost).when('age', look('2026-07-10')).happens('LoanDefaulted')
    given(active)
      .when('age', look('2026-07-10'))
      .happens(...types, 'LoanDefaulted')
    given(defaulted).when('age', look('2026-12-31')).happens()
    expect(defaulted.at(-1)?.data).toMatchObject({ due: '2026-04-10', next_check_on: null })
    const caughtUp = booking(accepting(active, '50833'), 'repay:1')
    given(caughtUp).when('age', look('2026-07-10')).happens('LoanInstalmentMissed')
  })

  test('and was in default is paid off like others', () => {
    const done = booking(accepting(defaulted, '101667'), 'repay:1')
    expect(given(done).state).toMatchObject({ status: 'paid_off' })
  })
})

describe('writing off', () => {
  test('takes a loan in default, and somebody who has not approved it', () => {
    given(active).when('writeOff', losing('chief')).rejects('LOAN_NOT_DEFAULTED')
    for (const by of ['boss', 'ama', 'teller']) {
      given(defaulted).when('writeOff', losing(by)).rejects('MAKER_IS_CHECKER')
    }
    given(givenUp).when('writeOff', losing('chief')).rejects('LOAN_STEP_UNDER_WAY')
    given(lost).when('writeOff', losing('chief')).rejects('LOAN_NOT_DEFAULTED')
  })

  test('is of the principal that is left, and what comes in later is all recovered', () => {
    const half = booking(accepting(defaulted, '51000'), 'repay:1')
    const [written] = given(half).when('writeOff', losing('chief')).events()
    expect(written?.data).toMatchObject({ amount: '50000' })
    const [recovered] = given(lost).when('repay', paying('101667')).events()
    expect(recovered?.data).toMatchObject({ interest: '0', principal: '0', recovered: '101667' })
    const all = booking(accepting(lost, '101667'), 'repay:1')
    expect(given(all).state).toMatchObject({ status: 'written_off' })
    given(all).when('repay', paying('1')).rejects('LOAN_NOT_RUNNING')
  })
})
