import { describe, expect, test } from 'vitest'
import {
  approveCheckDeposit,
  bookCheckDeposit,
  clearCheckDeposit,
  returnCheckDeposit,
  submitCheckDeposit,
} from '../commands/check_deposits.ts'
import { createEngine } from '../commands/engine.ts'
import { freezeAccount } from '../commands/ledger/index.ts'
import {
  carryOutPayment,
  openPaymentAccounts,
  requestCounterPayment,
} from '../commands/payments/index.ts'
import { CheckDeposit, type CheckSubmission, checkNumberOf } from '../domain/check_deposits.ts'
import { answerOf, BENS, codeOf, NOON, openBranch } from './machine-support.ts'
import { noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const book = 'main'
const image = { attachment: 'x'.repeat(43), media_type: 'image/png', bytes: 70 }
const check = 'c1'

const submission: CheckSubmission = {
  ...{ check, number: 1, book, asset: 'USD/2', account: BENS, owner: 'ben', amount: '32000' },
  ...{ bank_name: 'Volta Bank', check_number: 'CHK-00000000', front: image, back: image },
  ...{ submitted_by: 'esi', submitted_at: NOON },
}
const submitted = { type: 'CheckDepositSubmitted', data: submission } as const
const approval = (by: string) => ({ check, approved_by: by, approved_at: NOON })
const rejection = (by: string) => ({ check, reason: '', rejected_by: by, rejected_at: NOON })
const clearing = (by: string) => ({ check, cleared_by: by, cleared_at: NOON })
const giving = (by: string) => ({ check, reason: '', returned_by: by, returned_at: NOON })
const booking = (step: 'credit' | 'clearing' | 'return') => ({
  ...{ check, step, entry: `entry-${step}`, owed: null, booked_at: NOON },
})
const failure = { check, code: 'ACCOUNT_FROZEN', detail: 'It is frozen', failed_at: NOON }
const approved = { type: 'CheckDepositApproved', data: approval('yaw') } as const
const rejected = { type: 'CheckDepositRejected', data: rejection('yaw') } as const
const credited = { type: 'CheckDepositBooked', data: booking('credit') } as const
const failed = { type: 'CheckDepositFailed', data: failure } as const
const cleared = { type: 'CheckDepositCleared', data: clearing('yaw') } as const
const returned = { type: 'CheckDepositReturned', data: giving('yaw') } as const

describe('a check deposit', () => {
  const given = spec(CheckDeposit).given
  const paid = [submitted, approved, credited]

  test('goes from state to state, and skips none', () => {
    given(submitted).when('approve', approval('yaw')).gives(approved)
    given(submitted).when('reject', rejection('yaw')).gives(rejected)
    given(paid).when('clear', clearing('yaw')).gives(cleared)
    given(paid).when('return', giving('yaw')).gives(returned)
    const refused = 'CHECK_DEPOSIT_STATUS_UNFIT'
    const decided = [[submitted, approved], [submitted, rejected], paid, [...paid, cleared]]
    for (const before of decided) {
      given(before).when('approve', approval('yaw')).rejects(refused)
      given(before).when('reject', rejection('yaw')).rejects(refused)
    }
    const unpaid = [
      ...[[submitted], [submitted, approved], [submitted, rejected]],
      ...[
        [submitted, approved, failed],
        [...paid, cleared],
        [...paid, returned],
      ],
    ]
    for (const before of unpaid) {
      given(before).when('clear', clearing('yaw')).rejects(refused)
      given(before).when('return', giving('yaw')).rejects(refused)
    }
  })

  test('is decided about by others than who took it in, and whose account it is', () => {
    for (const by of ['esi', 'ben']) {
      given(submitted).when('approve', approval(by)).rejects('MAKER_IS_CHECKER')
      given(submitted).when('reject', rejection(by)).rejects('MAKER_IS_CHECKER')
    }
    given(paid).when('clear', clearing('ben')).rejects('MAKER_IS_CHECKER')
    given(paid).when('return', giving('ben')).rejects('MAKER_IS_CHECKER')
    given(paid).when('clear', clearing('esi')).happens('CheckDepositCleared')
  })

  test('is booked once for each step that has happened', () => {
    given(submitted, approved).when('book', booking('credit')).gives(credited)
    given(submitted, approved).when('fail', failure).gives(failed)
    given(submitted, approved, failed).when('book', booking('credit')).gives(credited)
    for (const before of [[submitted], [submitted, rejected], paid]) {
      given(before).when('book', booking('credit')).happens()
      given(before).when('fail', failure).happens()
    }
    given(paid, cleared).when('book', booking('clearing')).happens('CheckDepositBooked')
    given(paid, cleared).when('book', booking('return')).happens()
    given(paid, returned).when('book', booking('return')).happens('CheckDepositBooked')
    expect(given(submitted, approved, failed, credited).state).toMatchObject({
      ...{ status: 'approved', unbooked: null, failure: null },
    })
  })

  test('without a number is always called the same', () => {
    expect(checkNumberOf('c1')).toMatch(/^CHK-[0-9A-F]{8}$/)
    expect(checkNumberOf('c1')).toBe(checkNumberOf('c1'))
    expect(checkNumberOf('c1')).not.toBe(checkNumberOf('c2'))
  })
})

describe('paying a check in', () => {
  const esi = { actor: { id: 'esi', roles: ['cashier' as const] } }
  const yaw = { actor: { id: 'yaw', roles: ['cashier' as const] } }
  const OWED = 'receivables:returned-checks:1000-0002-0001'

  /** Of 320.00 for Ben, who has 100.00. */
  const open = async () => {
    const branch = await openBranch()
    const { ask, ports } = branch
    const pictures = { bank_name: 'Volta Bank', front: image, back: image }
    const asked = { book, account: BENS, amount: '32000', ...pictures }
    const { check } = answerOf(await ask(submitCheckDeposit, asked, esi))
    const other = { ...ports, engine: createEngine(ports.store, noSnapshots) }
    const bookAll = async () => {
      const here = Array.from({ length: 5 }, () => ask(bookCheckDeposit, { check }, yaw))
      const there = ask(bookCheckDeposit, { check }, { ...yaw, ports: other })
      return (await Promise.all([...here, there])).map(codeOf)
    }
    const credit = async () => {
      answerOf(await ask(approveCheckDeposit, { check }, yaw))
      return bookAll()
    }
    const freeze = () => ask(freezeAccount, { book, account: BENS, reason: 'Inquiry' })
    return { ...branch, check, asked, bookAll, credit, freeze }
  }
  const once = Array(6).fill(undefined)

  test('moves the money once a step, whoever has it booked and however often', async () => {
    const { ask, check, credit, bookAll, stands } = await open()
    expect(await credit()).toEqual(once)
    expect((await stands(BENS)).balance).toBe(42_000n)
    expect((await stands('clearing:checks:usd')).balance).toBe(32_000n)
    answerOf(await ask(clearCheckDeposit, { check }, esi))
    expect(await bookAll()).toEqual(once)
    expect((await stands('clearing:checks:usd')).balance).toBe(0n)
    expect((await stands('banks:settlement:usd')).balance).toBe(32_000n)
  })

  test('takes a returned one back from an account that has it', async () => {
    const { ask, check, credit, bookAll, stands } = await open()
    await credit()
    answerOf(await ask(returnCheckDeposit, { check }, esi))
    expect(await bookAll()).toEqual(once)
    expect((await stands(BENS)).balance).toBe(10_000n)
    expect((await stands(OWED)).balance).toBe(0n)
    expect((await stands('clearing:checks:usd')).balance).toBe(0n)
  })

  test('has the owner owe what of a returned one he has spent, to the unit', async () => {
    const { ask, check, credit, bookAll, stands, types } = await open()
    await credit()
    const cash = { book, kind: 'withdrawal' as const, account: BENS, amount: '12000' }
    answerOf(await ask(openPaymentAccounts, { book, asset: 'USD/2' }))
    const { payment } = answerOf(await ask(requestCounterPayment, cash))
    answerOf(await ask(carryOutPayment, { payment }))
    answerOf(await ask(returnCheckDeposit, { check }, esi))
    expect(await bookAll()).toEqual(once)
    expect((await stands(BENS)).balance).toBe(0n)
    expect((await stands(OWED)).balance).toBe(2000n)
    expect(types(`check_deposit-${check}`).at(-1)).toBe('CheckDepositBooked')
  })

  test('has the owner owe a returned one where nothing may leave his account', async () => {
    const { ask, check, credit, bookAll, freeze, stands } = await open()
    await credit()
    answerOf(await freeze())
    answerOf(await ask(returnCheckDeposit, { check }, esi))
    expect(await bookAll()).toEqual(once)
    expect((await stands(BENS)).balance).toBe(42_000n)
    expect((await stands(OWED)).balance).toBe(32_000n)
  })

  test('waits while the account takes no money, and fails when that is found out too late', async () => {
    const { ask, check, bookAll, freeze, stands, types } = await open()
    answerOf(await ask(approveCheckDeposit, { check }, yaw))
    answerOf(await freeze())
    expect(new Set(await bookAll())).toEqual(new Set(['ACCOUNT_FROZEN']))
    expect(types(`check_deposit-${check}`).slice(1)).toEqual([
      ...['CheckDepositApproved', 'CheckDepositFailed'],
    ])
    expect((await stands(BENS)).balance).toBe(10_000n)

    const later = await open()
    answerOf(await later.freeze())
    const { check: waiting } = later
    expect(codeOf(await later.ask(approveCheckDeposit, { check: waiting }, yaw))).toBe(
      'ACCOUNT_FROZEN',
    )
    expect(later.types(`check_deposit-${waiting}`)).toEqual(['CheckDepositSubmitted'])
  })

  test('is for customers’ accounts only', async () => {
    const { ask, asked } = await open()
    const to = (account: string) => ask(submitCheckDeposit, { ...asked, account }, esi)
    expect(codeOf(await to('customers:nobody'))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await to('cash:vault'))).toBe('ACCOUNT_NOT_FOUND')
    const nowhere = { ...asked, book: 'nowhere' }
    expect(codeOf(await ask(submitCheckDeposit, nowhere, esi))).toBe('BOOK_NOT_FOUND')
    const banker = { actor: { id: 'x', roles: ['mobile_banker' as const] } }
    expect(codeOf(await ask(submitCheckDeposit, asked, banker))).toBe('NOT_PERMITTED')
  })
})
