import { expect, test } from 'vitest'
import { approveClosure, carryOutClosure, requestClosure } from '../commands/closures.ts'
import { bringForward, openDeposit } from '../commands/deposits.ts'
import { createEngine } from '../commands/engine.ts'
import { closeAccount, openBook, placeHold } from '../commands/ledger/index.ts'
import { openPaymentAccounts, requestPayment } from '../commands/payments/index.ts'
import { registerUser } from '../commands/users.ts'
import { Closure, type ClosureRequest } from '../domain/closures.ts'
import { answerOf, askOn, codeOf, NOON } from './machine-support.ts'
import { createMemoryPorts, noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const request: ClosureRequest = {
  ...{ closure: 'c1', number: 1, book: 'main', account: 'customers:2231', owner: 'ama' },
  ...{ reason: 'customer_request', remarks: 'sealed', otp_verified: false },
  ...{ requested_by: 'mary', requested_at: NOON },
}
const approval = (by: string) => ({ closure: 'c1', approved_by: by, approved_at: NOON })
const rejection = (by: string) => ({
  ...{ closure: 'c1', reason: '', rejected_by: by, rejected_at: NOON },
})
const completion = { closure: 'c1', final_balance: '0', completed_at: NOON }
const giving = { closure: 'c1', code: 'ACCOUNT_NOT_EMPTY', detail: 'Money', returned_at: NOON }

const requested = { type: 'ClosureRequested', data: request } as const
const approved = { type: 'ClosureApproved', data: approval('max') } as const
const completed = { type: 'ClosureCompleted', data: completion } as const
const returned = { type: 'ClosureReturned', data: giving } as const
const rejected = { type: 'ClosureRejected', data: rejection('max') } as const

const given = spec(Closure).given
const pending = [[requested], [requested, approved, returned]]
const decided = [
  [requested, approved],
  [requested, approved, completed],
  [requested, rejected],
]

test('a closure that waits is decided about once, by somebody with no part in it', () => {
  for (const before of pending) {
    given(before).when('approve', approval('max')).gives(approved)
    given(before).when('reject', rejection('max')).gives(rejected)
  }
  for (const before of decided) {
    given(before).when('approve', approval('dora')).rejects('CLOSURE_NOT_PENDING')
    given(before).when('reject', rejection('dora')).rejects('CLOSURE_NOT_PENDING')
  }
  for (const before of [...pending, ...decided]) {
    given(before).when('request', request).rejects('CLOSURE_EXISTS')
    for (const by of ['mary', 'ama']) {
      given(before).when('approve', approval(by)).rejects('MAKER_IS_CHECKER')
      given(before).when('reject', rejection(by)).rejects('MAKER_IS_CHECKER')
    }
  }
})

test('a closure is completed, or waits again, only while it is approved, and once', () => {
  given(requested, approved).when('complete', completion).gives(completed)
  given(requested, approved).when('giveBack', giving).gives(returned)
  for (const before of [...pending, ...decided.slice(1)]) {
    given(before).when('complete', completion).happens()
    given(before).when('giveBack', giving).happens()
  }
})

const book = 'main'
const second = { actor: { id: 'second', roles: ['manager' as const] } }

const openBank = async () => {
  const ports = createMemoryPorts(() => new Date(NOON))
  const ask = askOn(ports)
  answerOf(await ask(openBook, { book, name: 'Main', assets: ['USD/2'] }))
  answerOf(await ask(openPaymentAccounts, { book, asset: 'USD/2' }))
  const ama = { user: 'ama', username: 'ama', name: 'Ama', password: 'a long enough password' }
  answerOf(await ask(registerUser, { ...ama, roles: ['customer'] }))
  const wanted = { book, customer: 'ama', product: 'daily_susu' as const }
  const { account } = answerOf(await ask(openDeposit, wanted))
  const close = { book, account, reason: 'customer_request' as const }
  const count = (type: string) => ports.store.log.filter((event) => event.type === type).length
  return { ports, ask, account, close, count }
}

test('money that comes in between approval and closing stays, and the closure waits again', async () => {
  const { ask, account, close, count } = await openBank()
  const { closure } = answerOf(await ask(requestClosure, close))
  answerOf(await ask(approveClosure, { closure }, second))
  answerOf(await ask(bringForward, { book, account, amount: '1' }))
  expect(codeOf(await ask(carryOutClosure, { closure }))).toBe('ACCOUNT_NOT_EMPTY')
  expect([count('AccountClosed'), count('ClosureReturned')]).toEqual([0, 1])
  expect(codeOf(await ask(approveClosure, { closure }, second))).toBe('ACCOUNT_NOT_EMPTY')
})

test('money, holds, payments that wait, and who owns nothing are in the way', async () => {
  const { ask, account, close } = await openBank()
  const refused = async (more: object = {}) =>
    codeOf(await ask(requestClosure, { ...close, ...more }))
  expect(await refused({ account: 'cash:counter:usd' })).toBe('ACCOUNT_NOT_FOUND')
  expect(await refused({ account: 'nobody' })).toBe('ACCOUNT_NOT_FOUND')
  expect(await refused({ book: 'nowhere' })).toBe('BOOK_NOT_FOUND')
  const waiting = { book, kind: 'deposit' as const, to: account, amount: '1', propose: true }
  answerOf(await ask(requestPayment, waiting))
  expect(await refused()).toBe('PAYMENTS_WAITING')
  answerOf(await ask(bringForward, { book, account, amount: '100' }))
  expect(await refused()).toBe('ACCOUNT_NOT_EMPTY')
  answerOf(await ask(placeHold, { book, account, amount: '100' }))
  expect(await refused()).toBe('ACCOUNT_NOT_EMPTY')
})

test('what a process that ended has left undone is done by the next', async () => {
  const { ports, ask, close, count } = await openBank()
  const { closure } = answerOf(await ask(requestClosure, close))
  expect(codeOf(await ask(carryOutClosure, { closure }))).toBe('CLOSURE_NOT_APPROVED')
  answerOf(await ask(approveClosure, { closure }, second))
  const engine = createEngine(ports.store, noSnapshots)
  const submit: typeof engine.submit = (decider, stream, attempt) =>
    stream === `closure-${closure}`
      ? Promise.reject(new Error('ended'))
      : engine.submit(decider, stream, attempt)
  const ending = askOn({ ...ports, engine: { ...engine, submit } })
  await expect(ending(carryOutClosure, { closure })).rejects.toThrow('ended')
  expect([count('AccountClosed'), count('ClosureCompleted')]).toEqual([1, 0])
  answerOf(await ask(carryOutClosure, { closure }))
  answerOf(await ask(carryOutClosure, { closure }))
  expect([count('AccountClosed'), count('ClosureCompleted')]).toEqual([1, 1])
})

test('an account that was closed elsewhere cannot be closed again', async () => {
  const { ask, account, close } = await openBank()
  const { closure } = answerOf(await ask(requestClosure, close))
  answerOf(await ask(closeAccount, { book, account, reason: 'By hand' }))
  expect(codeOf(await ask(approveClosure, { closure }, second))).toBe('ACCOUNT_CLOSED')
  expect(codeOf(await ask(requestClosure, close))).toBe('ACCOUNT_CLOSED')
})
