import { expect, test } from 'vitest'
import { Commission, CommissionPayout, commissionOn } from '../domain/commissions.ts'
import { spec } from './support/spec.ts'

const NOON = '2026-03-10T12:00:00.000Z'
const book = { book: 'main', asset: 'GHS/2' }

test.each([
  ['99999', 10, '1000'],
  ['100000', 15, '1500'],
  ['999999', 15, '15000'],
  ['1000000', 20, '20000'],
  ['50', 10, '0'],
  ['51', 10, '1'],
  ['150', 10, '2'],
])('collecting %s minor units earns %s thousandths: %s', (collected, permille, amount) => {
  expect(commissionOn(collected, 'GHS/2')).toEqual({ permille, amount })
})

test('a payment earns once', () => {
  const earning = {
    ...{ payment: 'p1', agent: 'yaw', ...book, collected: '1000', permille: 10, amount: '10' },
    earned_at: NOON,
  }
  const earned = { type: 'CommissionEarned', data: earning } as const
  const given = spec(Commission).given
  given().when('earn', earning).gives(earned)
  given(earned).when('earn', earning).happens()
})

test('a payout is ordered by somebody else, and paid once', () => {
  const order = {
    ...{ payout: 'o1', agent: 'yaw', ...book, account: 'customers:2231', amount: '10' },
    ...{ ordered_by: 'mary', ordered_at: NOON },
  }
  const ordered = { type: 'CommissionPayoutOrdered', data: order } as const
  const payment = { payout: 'o1', paid_at: NOON }
  const paid = { type: 'CommissionPaidOut', data: payment } as const
  const failure = { payout: 'o1', code: 'ACCOUNT_FROZEN', detail: 'Frozen', failed_at: NOON }
  const failed = { type: 'CommissionPayoutFailed', data: failure } as const
  const given = spec(CommissionPayout).given
  given().when('order', order).gives(ordered)
  given()
    .when('order', { ...order, ordered_by: 'yaw' })
    .rejects('MAKER_IS_CHECKER')
  given(ordered).when('pay', payment).gives(paid)
  given(ordered).when('fail', failure).gives(failed)
  given(ordered, paid).when('pay', payment).happens()
  given(ordered, paid).when('fail', failure).happens()
  // Whoever was refused at the same time was wrong: the money has moved.
  given(ordered, failed).when('pay', payment).gives(paid)
})
