import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { codePartOf } from './ledger/codes.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'
import { Amount, AmountOrZero, Asset, currencyOf, halfEven, placesOf } from './money.ts'

const steps = [
  { below: 1000n, permille: 10n },
  { below: 10_000n, permille: 15n },
] as const
const HIGHEST = 20n

/** Thousandths of what was collected that are its collector's; `one` is one of the currency. */
export const commissionRateOf = (amount: bigint, one: bigint): bigint =>
  steps.find(({ below }) => amount < below * one)?.permille ?? HIGHEST

/** What collecting an amount earns, both in minor units; half to even. */
export const commissionOn = (collected: string, asset: string) => {
  const amount = BigInt(collected)
  const permille = commissionRateOf(amount, 10n ** BigInt(placesOf(asset)))
  return { permille: Number(permille), amount: halfEven(amount * permille, 1000n).toString() }
}

/** What commissions cost the bank, and what it owes to an agent for them. */
export const commissionAccounts = (agent: string, asset: string) => ({
  expense: `expenses:commissions:${currencyOf(asset)}`,
  payable: `payable:commissions:${currencyOf(asset)}:${codePartOf(agent)}`,
})

const Earning = { agent: Identifier, book: BookId, asset: Asset }

const commissionEvents = {
  /** The ledger has booked it, unless it is too small to be anything. */
  CommissionEarned: z.object({
    payment: Identifier,
    ...Earning,
    collected: Amount,
    permille: z.int().min(0).max(1000),
    amount: AmountOrZero,
    earned_at: Instant,
  }),
} as const

export type CommissionEarned = z.infer<(typeof commissionEvents)['CommissionEarned']>
export type CommissionState = { readonly isEarned: boolean }

const earn = (
  { isEarned }: CommissionState,
  data: CommissionEarned,
): Decision<EventOf<typeof commissionEvents>> =>
  isEarned ? [] : [{ type: 'CommissionEarned', data }]

/** Of one payment, which a mobile banker collected. */
export const Commission = decider({
  category: 'commission',
  schemas: commissionEvents,
  initial: (): CommissionState => ({ isEarned: false }),
  evolve: { CommissionEarned: (): CommissionState => ({ isEarned: true }) },
  decide: { earn },
})

const ByPayout = { payout: Identifier }

const payoutEvents = {
  CommissionPayoutOrdered: z.object({
    ...ByPayout,
    ...Earning,
    /** One of the agent's. */
    account: AccountCode,
    amount: Amount,
    ordered_by: Identifier,
    ordered_at: Instant,
  }),
  /** The money has moved. */
  CommissionPaidOut: z.object({ ...ByPayout, paid_at: Instant }),
  /** The ledger refused it: no money has moved. */
  CommissionPayoutFailed: z.object({
    ...ByPayout,
    code: z.string().max(64),
    detail: z.string().max(512),
    failed_at: Instant,
  }),
} as const

type PayoutEvent = EventOf<typeof payoutEvents>
type Data<Type extends keyof typeof payoutEvents> = z.infer<(typeof payoutEvents)[Type]>
export type PayoutOrder = Data<'CommissionPayoutOrdered'>

export type PayoutState = {
  readonly status: 'unknown' | 'ordered' | 'paid' | 'failed'
  readonly order: PayoutOrder | null
  readonly failure: Pick<Data<'CommissionPayoutFailed'>, 'code' | 'detail'> | null
}

const order = (_state: PayoutState, data: PayoutOrder): Decision<PayoutEvent> =>
  data.ordered_by === data.agent
    ? refuse('MAKER_IS_CHECKER', 'Nobody pays his own commission out.')
    : [{ type: 'CommissionPayoutOrdered', data }]

/** Where the money is, nobody can argue with: also after somebody else was refused. */
const pay = ({ status }: PayoutState, data: Data<'CommissionPaidOut'>): Decision<PayoutEvent> =>
  status === 'ordered' || status === 'failed' ? [{ type: 'CommissionPaidOut', data }] : []

const fail = (
  { status }: PayoutState,
  data: Data<'CommissionPayoutFailed'>,
): Decision<PayoutEvent> => (status === 'ordered' ? [{ type: 'CommissionPayoutFailed', data }] : [])

/** What is owed to an agent, on its way to his account. */
export const CommissionPayout = decider({
  category: 'commission_payout',
  schemas: payoutEvents,
  initial: (): PayoutState => ({ status: 'unknown', order: null, failure: null }),
  evolve: {
    CommissionPayoutOrdered: (state, data): PayoutState => ({
      ...{ ...state, status: 'ordered', order: data },
    }),
    CommissionPaidOut: (state): PayoutState => ({ ...state, status: 'paid', failure: null }),
    CommissionPayoutFailed: (state, { code, detail }): PayoutState => ({
      ...{ ...state, status: 'failed', failure: { code, detail } },
    }),
  },
  decide: { order, pay, fail },
})
