import { describe, expect, test } from 'vitest'
import { bringForward } from '../commands/deposits.ts'
import { createEngine } from '../commands/engine.ts'
import { changeTerms, freezeAccount, unfreezeAccount } from '../commands/ledger/index.ts'
import { approvePayment, carryOutPayment, openPaymentAccounts } from '../commands/payments/index.ts'
import {
  cancelStandingOrder,
  carryOutStandingOrder,
  placeStandingOrder,
} from '../commands/standing_orders.ts'
import { dueDateOf, type Recurrence, StandingOrder } from '../domain/standing_orders.ts'
import { answerOf, BENS, CHECKING, codeOf, NOON, openBranch } from './machine-support.ts'
import { noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const book = 'main'
const once: Recurrence = {
  ...{ frequency: 'once', starts_on: '2026-03-10', day_of_month: null },
  ...{ until: null, count: null },
}
const dueDates = (recurrence: Partial<Recurrence>, count = 5) =>
  Array.from({ length: count }, (_, index) => dueDateOf({ ...once, ...recurrence }, index))

describe('the due dates of an order', () => {
  test('are one, or the same day of each week', () => {
    expect(dueDates({}, 2)).toEqual(['2026-03-10', null])
    expect(dueDates({ frequency: 'weekly', starts_on: '2028-02-22' }, 3)).toEqual([
      ...['2028-02-22', '2028-02-29', '2028-03-07'],
    ])
  })

  test('are the same day of each month, or its last when it is shorter', () => {
    const monthly = { frequency: 'monthly', starts_on: '2027-11-30' } as const
    const last = ['2027-11-30', '2027-12-31', '2028-01-31', '2028-02-29', '2028-03-31']
    expect(dueDates({ ...monthly, day_of_month: 31 })).toEqual(last)
    const same = ['2027-11-30', '2027-12-30', '2028-01-30', '2028-02-29', '2028-03-30']
    expect(dueDates(monthly)).toEqual(same)
    // The fifth of November is over when it begins.
    expect(dueDates({ ...monthly, day_of_month: 5 }, 2)).toEqual(['2027-12-05', '2028-01-05'])
    expect(dueDates({ ...monthly, starts_on: '2026-02-28', day_of_month: 31 }, 2)).toEqual([
      ...['2026-02-28', '2026-03-31'],
    ])
  })

  test('end behind a day, or after so many', () => {
    const weekly = { frequency: 'weekly' } as const
    expect(dueDates({ ...weekly, until: '2026-03-24' }, 4)).toEqual([
      ...['2026-03-10', '2026-03-17', '2026-03-24', null],
    ])
    expect(dueDates({ ...weekly, until: '2026-03-23' }, 3)[2]).toBe(null)
    expect(dueDates({ ...weekly, count: 2 }, 3)).toEqual(['2026-03-10', '2026-03-17', null])
  })
})

const wanted = {
  ...{ order: 'o1', book, from: CHECKING, to: BENS, from_owner: 'ada', to_owner: 'ben' },
  ...{ amount: '100', asset: 'USD/2', description: '', placed_by: 'ada', placed_at: NOON },
  ...{ ...once, frequency: 'weekly' as const, count: 2 },
}
const placed = { type: 'StandingOrderPlaced', data: { ...wanted, next_due: '2026-03-10' } } as const
const execution = (due: string) => ({ order: 'o1', due, payment: 'p1', executed_at: NOON })
const miss = (due: string) => ({
  ...{ order: 'o1', due, code: 'INSUFFICIENT_FUNDS', detail: 'Too little', missed_at: NOON },
})
const executed = (due: string, next_due: string | null) =>
  ({ type: 'StandingOrderExecuted', data: { ...execution(due), next_due } }) as const
const cancellation = { order: 'o1', cancelled_by: 'ada', cancelled_at: NOON }
const cancelled = { type: 'StandingOrderCancelled', data: cancellation } as const

describe('a standing order', () => {
  const given = spec(StandingOrder).given

  test('begins today or within a year, and is due at least once', () => {
    const place = (more: object) =>
      given().when('place', { ...wanted, today: NOON.slice(0, 10), ...more })
    place({}).gives(placed)
    place({ starts_on: '2027-03-11' }).happens('StandingOrderPlaced')
    place({ starts_on: '2026-03-09' }).rejects('STANDING_ORDER_DATES_INVALID')
    place({ starts_on: '2027-03-12' }).rejects('STANDING_ORDER_DATES_INVALID')
    place({ until: '2026-03-09' }).rejects('STANDING_ORDER_DATES_INVALID', { field: 'until' })
    place({ day_of_month: 3 }).rejects('STANDING_ORDER_DATES_INVALID', { field: 'day_of_month' })
  })

  test('goes from one due date to the next, each once, and ends behind the last', () => {
    given(placed)
      .when('execute', execution('2026-03-10'))
      .gives(executed('2026-03-10', '2026-03-17'))
    given(placed).when('execute', execution('2026-03-17')).happens()
    const gone = [placed, executed('2026-03-10', '2026-03-17')] as const
    given(...gone)
      .when('execute', execution('2026-03-10'))
      .happens()
    given(...gone)
      .when('miss', miss('2026-03-10'))
      .happens()
    const missed = given(...gone)
      .when('miss', miss('2026-03-17'))
      .events()
    expect(missed).toMatchObject([{ type: 'StandingOrderMissed', data: { next_due: null } }])
    expect(given(...gone, missed).state.status).toBe('completed')
  })

  test('is cancelled while it goes on; a payment on its way is recorded all the same', () => {
    given(placed).when('cancel', cancellation).gives(cancelled)
    given(placed, cancelled).when('cancel', cancellation).rejects('STANDING_ORDER_NOT_ACTIVE')
    given(placed, cancelled).when('miss', miss('2026-03-10')).happens()
    given(placed, cancelled)
      .when('execute', execution('2026-03-10'))
      .happens('StandingOrderExecuted')
    expect(given(placed, cancelled, executed('2026-03-10', null)).state.status).toBe('cancelled')
  })
})

describe('carrying out an order', () => {
  const open = async () => {
    const branch = await openBranch()
    answerOf(await branch.ask(openPaymentAccounts, { book, asset: 'USD/2' }))
    const ada = await branch.holder(CHECKING)
    const place = async (more: object = {}, context: object = ada) =>
      branch.ask(
        placeStandingOrder,
        {
          ...{ book, from: CHECKING, to: BENS, amount: '40000', frequency: 'weekly' },
          ...{ starts_on: '2026-03-10', ...more },
        },
        context,
      )
    const carryOut = (order: string, more: object = {}) =>
      branch.ask(carryOutStandingOrder, { order }, more)
    return { ...branch, ada, place, carryOut }
  }
  type Open = Awaited<ReturnType<typeof open>>
  const entriesOf = ({ ports }: Open) =>
    ports.store.log.flatMap(({ type, data }) => {
      const { entry } = data as { entry?: { kind: string; value_date: string; booked_at: string } }
      return type === 'EntryPosted' && entry?.kind === 'transfer' ? [entry] : []
    })

  test('pays each due date once, however many do it at once, on its own value date', async () => {
    const branch = await open()
    const { order } = answerOf(await branch.place())
    expect(codeOf(await branch.carryOut('none'))).toBe('STANDING_ORDER_NOT_FOUND')
    branch.go('2026-03-18T09:00:00.000Z')
    await Promise.all(Array.from({ length: 8 }, () => branch.carryOut(order)))
    await Promise.all(Array.from({ length: 8 }, () => branch.carryOut(order)))
    expect(codeOf(await branch.carryOut(order))).toBe('STANDING_ORDER_NOT_DUE')
    expect(entriesOf(branch)).toMatchObject([
      { value_date: '2026-03-10', booked_at: '2026-03-18T09:00:00.000Z' },
      { value_date: '2026-03-17', booked_at: '2026-03-18T09:00:00.000Z' },
    ])
    expect((await branch.stands(CHECKING)).balance).toBe(20_000n)
  })

  test('pays once when another process does it too', async () => {
    const branch = await open()
    const { ports } = branch
    const other = { ...ports, engine: createEngine(ports.store, noSnapshots) }
    const { order } = answerOf(await branch.place())
    await Promise.all([branch.carryOut(order), branch.carryOut(order, { ports: other })])
    expect(codeOf(await branch.carryOut(order, { ports: other }))).toBe('STANDING_ORDER_NOT_DUE')
    expect(entriesOf(branch)).toHaveLength(1)
    expect(branch.types(`standing_order-${order}`)).toHaveLength(2)
  })

  test('goes on where a process ended between the payment and its record', async () => {
    const branch = await open()
    const { ports } = branch
    const { order } = answerOf(await branch.place())
    const submit = ports.engine.submit
    const ended = {
      ...ports,
      engine: {
        ...ports.engine,
        submit: ((decider, stream, attempt) =>
          attempt.metadata.causation === 'standing_orders.carry_out'
            ? Promise.reject(new Error('ended'))
            : submit(decider, stream, attempt)) as typeof submit,
      },
    }
    await expect(branch.carryOut(order, { ports: ended })).rejects.toThrow('ended')
    expect((await branch.stands(CHECKING)).balance).toBe(60_000n)
    // The money of the first time is what is lacking now, and nothing was refused.
    answerOf(await branch.carryOut(order))
    expect((await branch.stands(CHECKING)).balance).toBe(60_000n)
    expect(branch.types(`standing_order-${order}`)).toEqual([
      ...['StandingOrderPlaced', 'StandingOrderExecuted'],
    ])
    expect(entriesOf(branch)).toHaveLength(1)
  })

  test('records what is refused, and goes on with the next due date', async () => {
    const branch = await open()
    const { order } = answerOf(await branch.place({ amount: '60000' }))
    branch.go('2026-03-24T00:00:00.000Z')
    expect(answerOf(await branch.carryOut(order)).next_due).toBe('2026-03-17')
    expect(answerOf(await branch.carryOut(order)).next_due).toBe('2026-03-24')
    answerOf(await branch.ask(freezeAccount, { book, account: CHECKING, reason: 'Why not' }))
    expect(answerOf(await branch.carryOut(order)).next_due).toBe('2026-03-31')
    answerOf(await branch.ask(unfreezeAccount, { book, account: CHECKING, reason: 'Why not' }))
    const codes = branch.ports.store.log.flatMap(({ type, data }) =>
      type === 'StandingOrderMissed' ? [(data as { code: string }).code] : [],
    )
    expect(codes).toEqual(['INSUFFICIENT_FUNDS', 'ACCOUNT_FROZEN'])
    expect((await branch.stands(CHECKING)).balance).toBe(40_000n)
  })

  test('leaves large payments to a second person, who is not the one who placed it', async () => {
    const branch = await open()
    const manager = { actor: { id: 'carl', roles: ['manager' as const] } }
    answerOf(await branch.ask(bringForward, { book, account: CHECKING, amount: '900000' }))
    const terms = { overdraft_limit: '0', velocity_limits: [] }
    answerOf(await branch.ask(changeTerms, { book, account: CHECKING, ...terms }))
    const { order } = answerOf(await branch.place({ amount: '500000' }, manager))
    answerOf(await branch.carryOut(order))
    const [due] = branch.ports.store.log.filter(({ type }) => type === 'StandingOrderExecuted')
    const { payment = '' } = (due?.data ?? {}) as { payment?: string }
    expect((await branch.stands(CHECKING)).balance).toBe(1_000_000n)
    expect(codeOf(await branch.ask(approvePayment, { payment }, manager))).toBe('MAKER_IS_CHECKER')
    answerOf(await branch.ask(approvePayment, { payment }))
    answerOf(await branch.ask(carryOutPayment, { payment }))
    expect((await branch.stands(CHECKING)).balance).toBe(500_000n)
  })

  test('is for the owner and staff', async () => {
    const branch = await open()
    const ben = await branch.holder(BENS)
    expect(codeOf(await branch.place({}, ben))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await branch.place({ to: 'cash:vault' }))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await branch.place({ to: CHECKING }))).toBe('SAME_ACCOUNT')
    const { order } = answerOf(await branch.place({}, { actor: { id: 'tess', roles: ['teller'] } }))
    const cancel = (context: object) => branch.ask(cancelStandingOrder, { order }, context)
    expect(codeOf(await cancel(ben))).toBe('STANDING_ORDER_NOT_FOUND')
    expect(codeOf(await branch.carryOut(order, ben))).toBe('NOT_PERMITTED')
    answerOf(await cancel(branch.ada))
    expect(codeOf(await branch.carryOut(order))).toBe('STANDING_ORDER_NOT_DUE')
    expect((await branch.stands(CHECKING)).balance).toBe(100_000n)
  })
})
