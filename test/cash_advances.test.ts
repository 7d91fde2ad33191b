import { describe, expect, test } from 'vitest'
import {
  approveCashAdvance,
  bookCashAdvance,
  disburseCashAdvance,
  repayCashAdvance,
  requestCashAdvance,
} from '../commands/cash_advances.ts'
import { createEngine } from '../commands/engine.ts'
import { freezeAccount, unfreezeAccount } from '../commands/ledger/index.ts'
import {
  advanceAccounts,
  CashAdvance,
  type CashAdvanceRequest,
  isOverdue,
} from '../domain/cash_advances.ts'
import { AccountCode } from '../domain/ledger/events.ts'
import { answerOf, codeOf, NOON, openBranch } from './machine-support.ts'
import { noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const book = 'main'
const asset = 'USD/2'
const COUNTER = 'cash:counter:usd'

const request: CashAdvanceRequest = {
  ...{ advance: 'a1', number: 1, book, asset, amount: '20000', repayment_date: '2026-03-31' },
  ...{ reason: '', notes: '', requested_by: 'esi', requested_at: NOON },
}
const advance = 'a1'
const requested = { type: 'CashAdvanceRequested', data: request } as const
const approval = (by: string) => ({ advance, approved_by: by, approved_at: NOON })
const rejection = (by: string) => ({ advance, reason: '', rejected_by: by, rejected_at: NOON })
const disbursal = (by: string) => ({ advance, disbursed_by: by, disbursed_at: NOON })
const repayment = (by: string) => ({ advance, repaid_to: by, repaid_at: NOON })
const booking = (step: 'disbursement' | 'repayment') => ({
  ...{ advance, step, entry: `entry-${step}`, booked_at: NOON },
})
const approved = { type: 'CashAdvanceApproved', data: approval('yaw') } as const
const rejected = { type: 'CashAdvanceRejected', data: rejection('yaw') } as const
const disbursed = { type: 'CashAdvanceDisbursed', data: disbursal('yaw') } as const
const lent = { type: 'CashAdvanceBooked', data: booking('disbursement') } as const
const repaid = { type: 'CashAdvanceRepaid', data: repayment('yaw') } as const
const back = { type: 'CashAdvanceBooked', data: booking('repayment') } as const

describe('a cash advance', () => {
  const given = spec(CashAdvance).given
  const out = [requested, approved, disbursed, lent]

  test('goes from state to state, and skips none', () => {
    given(requested).when('approve', approval('yaw')).gives(approved)
    given(requested).when('reject', rejection('yaw')).gives(rejected)
    given(requested, approved).when('disburse', disbursal('yaw')).gives(disbursed)
    given(out).when('repay', repayment('yaw')).gives(repaid)
    const states = [
      [requested],
      [requested, approved],
      [requested, rejected],
      out,
      [...out, repaid, back],
    ]
    for (const [index, before] of states.entries()) {
      const refused = 'CASH_ADVANCE_STATUS_UNFIT'
      if (index !== 0) given(before).when('approve', approval('yaw')).rejects(refused)
      if (index !== 0) given(before).when('reject', rejection('yaw')).rejects(refused)
      if (index !== 1) given(before).when('disburse', disbursal('yaw')).rejects(refused)
      if (index !== 3) given(before).when('repay', repayment('yaw')).rejects(refused)
    }
  })

  test('is taken further by others than who asked for it', () => {
    given(requested).when('approve', approval('esi')).rejects('MAKER_IS_CHECKER')
    given(requested).when('reject', rejection('esi')).rejects('MAKER_IS_CHECKER')
    given(requested, approved).when('disburse', disbursal('esi')).rejects('MAKER_IS_CHECKER')
    given(out).when('repay', repayment('esi')).rejects('MAKER_IS_CHECKER')
    // Also where it is too late anyway: who may not is not told how far it is.
    given(requested, rejected).when('approve', approval('esi')).rejects('MAKER_IS_CHECKER')
  })

  test('is not back before the ledger knows that it is out', () => {
    given(requested, approved, disbursed)
      .when('repay', repayment('yaw'))
      .rejects('CASH_ADVANCE_STATUS_UNFIT')
  })

  test('is booked once for each step that has happened', () => {
    given(requested, approved, disbursed).when('book', booking('disbursement')).gives(lent)
    given(out).when('book', booking('disbursement')).happens()
    given(out, repaid).when('book', booking('disbursement')).happens()
    given(out, repaid).when('book', booking('repayment')).gives(back)
    given(requested, approved).when('book', booking('disbursement')).happens()
  })

  test('is to be back today at the earliest', () => {
    const on = (repayment_date: string) => ({ ...request, repayment_date })
    given().when('request', on('2026-03-10')).happens('CashAdvanceRequested')
    given().when('request', on('2026-03-09')).rejects('REPAYMENT_DATE_PAST')
  })

  test('is overdue while it is out behind its day', () => {
    expect(isOverdue('disbursed', '2026-03-31', '2026-03-31')).toBe(false)
    expect(isOverdue('disbursed', '2026-03-31', '2026-04-01')).toBe(true)
    expect(isOverdue('repaid', '2026-03-31', '2026-04-01')).toBe(false)
    expect(isOverdue('approved', '2026-03-31', '2026-04-01')).toBe(false)
  })

  test('stands on an account that any user can have', () => {
    for (const user of ['01JQ3Z9GQ3W8Y6M0H4S6V2T1AB', 'ada', '_ada', '-', 'a'.repeat(64)]) {
      const { receivable } = advanceAccounts(user, 'GHS/2')
      expect(AccountCode.safeParse(receivable).error?.issues ?? [], receivable).toEqual([])
    }
  })
})

describe('lending cash', () => {
  const esi = { actor: { id: 'esi', roles: ['cashier' as const] } }
  const yaw = { actor: { id: 'yaw', roles: ['cashier' as const] } }
  const RECEIVABLE = 'receivables:cash-advances:usd:esi'

  const open = async () => {
    const branch = await openBranch()
    const { ask, ports } = branch
    const asked = { book, asset, amount: '20000', repayment_date: '2026-03-31', reason: 'Fees' }
    const { advance } = answerOf(await ask(requestCashAdvance, asked, esi))
    answerOf(await ask(approveCashAdvance, { advance }, yaw))
    const other = { ...ports, engine: createEngine(ports.store, noSnapshots) }
    const bookAll = () => {
      const here = Array.from({ length: 5 }, () => ask(bookCashAdvance, { advance }, yaw))
      const there = ask(bookCashAdvance, { advance }, { ...yaw, ports: other })
      return Promise.all([...here, there])
    }
    return { ...branch, advance, bookAll }
  }

  test('moves it out and back once, whoever has it booked and however often', async () => {
    const { ask, advance, bookAll, stands, types } = await open()
    answerOf(await ask(disburseCashAdvance, { advance }, yaw))
    expect((await bookAll()).map(codeOf)).toEqual(Array(6).fill(undefined))
    expect((await stands(RECEIVABLE)).balance).toBe(20_000n)
    expect((await stands(COUNTER)).balance).toBe(-20_000n)
    answerOf(await ask(repayCashAdvance, { advance }, yaw))
    expect((await bookAll()).map(codeOf)).toEqual(Array(6).fill(undefined))
    expect((await stands(RECEIVABLE)).balance).toBe(0n)
    expect((await stands(COUNTER)).balance).toBe(0n)
    expect(types(`cash_advance-${advance}`).slice(2)).toEqual([
      ...['CashAdvanceDisbursed', 'CashAdvanceBooked', 'CashAdvanceRepaid', 'CashAdvanceBooked'],
    ])
  })

  test('is refused before it is handed out when the ledger would not have it', async () => {
    const { ask, advance, bookAll, types } = await open()
    answerOf(await ask(disburseCashAdvance, { advance }, yaw))
    await bookAll()
    answerOf(await ask(freezeAccount, { book, account: COUNTER, reason: 'Audit' }))
    expect(codeOf(await ask(repayCashAdvance, { advance }, yaw))).toBe('ACCOUNT_FROZEN')
    expect(codeOf(await ask(repayCashAdvance, { advance }, esi))).toBe('MAKER_IS_CHECKER')
    expect(types(`cash_advance-${advance}`).at(-1)).toBe('CashAdvanceBooked')
    answerOf(await ask(unfreezeAccount, { book, account: COUNTER, reason: 'Done' }))
    answerOf(await ask(repayCashAdvance, { advance }, yaw))
  })
})
