import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

/** What a churn model looks at, in the order in which it wants them. Amounts are major units. */
export const CHURN_FEATURES = [
  'age',
  'tenure',
  'balance',
  'products',
  'credit_card',
  'active',
  'salary',
] as const

export const ChurnProfile = z.object({
  age: z.int().min(18).max(120),
  /** Years. */
  tenure: z.int().min(0).max(100),
  balance: z.number().min(0).max(1e15),
  products: z.int().min(0).max(100),
  credit_card: z.boolean(),
  active: z.boolean(),
  salary: z.number().min(0).max(1e15),
})
export type ChurnProfile = z.infer<typeof ChurnProfile>

export const AlertType = z.enum(['HIGH_RISK', 'RISK_INCREASE', 'SUMMARY'])

const ByCustomer = { customer: Identifier }
const Probability = z.number().min(0).max(1)

const Reason = z.object({
  feature: z.string().max(64),
  value: z.number(),
  contribution: z.number(),
})

export const churnEvents = {
  ChurnProfileRecorded: z.object({
    ...ByCustomer,
    /** The customer's integer id. */
    number: z.int().min(1),
    profile: ChurnProfile,
    recorded_at: Instant,
  }),
  ChurnScored: z.object({
    ...ByCustomer,
    model: z.string().max(80),
    /** What the model saw. */
    features: ChurnProfile,
    probability: Probability,
    reasons: z.array(Reason).max(8),
    /** What other models said beside it, to be compared with it once the outcome is known. */
    challengers: z
      .array(z.object({ model: z.string().max(80), probability: Probability }))
      .max(8)
      .optional(),
    scored_at: Instant,
  }),
  /** Whether he left: what models learn from. */
  ChurnOutcomeRecorded: z.object({ ...ByCustomer, churned: z.boolean(), recorded_at: Instant }),
  ChurnAlertRaised: z.object({
    ...ByCustomer,
    alert: z.int().min(1),
    number: z.int().min(1),
    alert_type: AlertType,
    message: z.string().max(256),
    raised_at: Instant,
  }),
  ChurnAlertSent: z.object({ ...ByCustomer, alert: z.int(), sent_at: Instant }),
  ChurnAlertNotSent: z.object({
    ...ByCustomer,
    alert: z.int(),
    error: z.string().max(512),
    failed_at: Instant,
  }),
  /** The person is forgotten; what models saw of him stays, without a name. */
  ChurnCustomerRemoved: z.object({ ...ByCustomer, removed_at: Instant }),
} as const

export type ChurnEvent = EventOf<typeof churnEvents>
type Data<Type extends keyof typeof churnEvents> = z.infer<(typeof churnEvents)[Type]>

export type ChurnState = {
  readonly number: number
  readonly profile: ChurnProfile | null
  readonly removed: boolean
  /** The newest. */
  readonly score: Pick<
    Data<'ChurnScored'>,
    'model' | 'features' | 'probability' | 'scored_at'
  > | null
  /** How many there have been. */
  readonly scores: number
  /** Alerts of which it is not known whether they arrived. */
  readonly open: readonly OpenAlert[]
}

type OpenAlert = Omit<Data<'ChurnAlertRaised'>, 'customer'>

export type AlertRules = {
  readonly high_risk_threshold: number
  /** Percent. */
  readonly risk_increase_threshold: number
}

export const hasSameFacts = (one: ChurnProfile, other: ChurnProfile): boolean =>
  CHURN_FEATURES.every((name) => one[name] === other[name])

const gone = (customer: string) =>
  refuse('CUSTOMER_NOT_FOUND', `There is no customer ${customer}.`, { customer })

const record = (state: ChurnState, data: Data<'ChurnProfileRecorded'>): Decision<ChurnEvent> =>
  state.removed ? gone(data.customer) : [{ type: 'ChurnProfileRecorded', data }]

/** Percent by which the score rose; null when there is nothing to compare with. */
const riseOf = (state: ChurnState, probability: number): number | null =>
  state.score && state.score.probability > 0
    ? ((probability - state.score.probability) / state.score.probability) * 100
    : null

/** What a score calls for: a high one, and one that rose too much (facts of the churn contract). */
export const alertsFor = (
  state: ChurnState,
  probability: number,
  rules: AlertRules,
): { readonly alert_type: z.infer<typeof AlertType>; readonly message: string }[] => {
  const rise = riseOf(state, probability)
  const shown = probability.toFixed(2)
  const high = probability >= rules.high_risk_threshold
  const risen = rise !== null && rise > rules.risk_increase_threshold
  return [
    ...(high
      ? [
          {
            alert_type: 'HIGH_RISK' as const,
            message: `Customer ${state.number} has a high churn risk of ${shown}`,
          },
        ]
      : []),
    ...(risen
      ? [
          {
            alert_type: 'RISK_INCREASE' as const,
            message: `The churn risk of customer ${state.number} rose by ${Math.round(rise)} % to ${shown}`,
          },
        ]
      : []),
  ]
}

type Score = Omit<Data<'ChurnScored'>, never> & {
  readonly rules: AlertRules
  /** Integer ids for alerts, as many as there could be. */
  readonly alerts: readonly number[]
}

/** Keeps a score, and raises what it calls for in the same append. */
const score = (state: ChurnState, { rules, alerts, ...data }: Score): Decision<ChurnEvent> => {
  if (state.removed || state.profile === null) return gone(data.customer)
  const raised = alertsFor(state, data.probability, rules).map((alert, index): ChurnEvent => {
    const id = alerts[index]
    if (id === undefined) throw new Error('an alert has no id')
    const { customer, scored_at: raised_at } = data
    return {
      type: 'ChurnAlertRaised',
      data: { customer, number: state.number, alert: id, ...alert, raised_at },
    }
  })
  return [{ type: 'ChurnScored', data }, ...raised]
}

const recordOutcome = (
  state: ChurnState,
  data: Data<'ChurnOutcomeRecorded'>,
): Decision<ChurnEvent> =>
  state.removed || state.profile === null
    ? gone(data.customer)
    : [{ type: 'ChurnOutcomeRecorded', data }]

const raise = (state: ChurnState, data: Data<'ChurnAlertRaised'>): Decision<ChurnEvent> =>
  state.removed || state.profile === null
    ? gone(data.customer)
    : [{ type: 'ChurnAlertRaised', data }]

const isOpen = ({ open }: ChurnState, wanted: number): boolean =>
  open.some(({ alert }) => alert === wanted)

// Delivery is told once: whoever else tried at the same time has sent it too.
const sent = (state: ChurnState, data: Data<'ChurnAlertSent'>): Decision<ChurnEvent> =>
  isOpen(state, data.alert) ? [{ type: 'ChurnAlertSent', data }] : []

const notSent = (state: ChurnState, data: Data<'ChurnAlertNotSent'>): Decision<ChurnEvent> =>
  isOpen(state, data.alert) ? [{ type: 'ChurnAlertNotSent', data }] : []

const remove = (state: ChurnState, data: Data<'ChurnCustomerRemoved'>): Decision<ChurnEvent> =>
  state.removed || state.profile === null
    ? gone(data.customer)
    : [{ type: 'ChurnCustomerRemoved', data }]

const without = (open: ChurnState['open'], closed: number): ChurnState['open'] =>
  open.filter(({ alert }) => alert !== closed)

/** What is known of a customer who may leave, and what models made of it. */
export const Churn = decider({
  category: 'churn',
  schemas: churnEvents,
  initial: (): ChurnState => ({
    number: 0,
    profile: null,
    removed: false,
    score: null,
    scores: 0,
    open: [],
  }),
  evolve: {
    ChurnProfileRecorded: (state, { number, profile }): ChurnState => ({
      ...state,
      number,
      profile,
    }),
    ChurnScored: (state, { model, features, probability, scored_at }): ChurnState => ({
      ...state,
      score: { model, features, probability, scored_at },
      scores: state.scores + 1,
    }),
    ChurnOutcomeRecorded: (state) => state,
    ChurnAlertRaised: (state, { customer: _customer, ...raised }): ChurnState => ({
      ...state,
      open: [...state.open, raised],
    }),
    ChurnAlertSent: (state, { alert }): ChurnState => ({
      ...state,
      open: without(state.open, alert),
    }),
    ChurnAlertNotSent: (state, { alert }): ChurnState => ({
      ...state,
      open: without(state.open, alert),
    }),
    ChurnCustomerRemoved: (state): ChurnState => ({ ...state, removed: true, open: [] }),
  },
  decide: { record, score, recordOutcome, raise, sent, notSent, remove },
})
