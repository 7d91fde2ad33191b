import { z } from 'zod'
import {
  alertsFor,
  Churn,
  ChurnProfile,
  type ChurnState,
  type churnEvents,
  hasSameFacts,
} from '../domain/churn.ts'
import { type AlertSettings, ChurnAlertSettings } from '../domain/churn_alerts.ts'
import { Customer, type CustomerState } from '../domain/customers.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { claimEmail, releaseEmail } from './emails.ts'
import { command, type Enrichment, onExisting, submitStep, takeNumber } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'
import type { Ports } from './ports.ts'

/** Who a customer is: sealed. */
const Person = z.strictObject({
  name: z.string().trim().min(1).max(255),
  email: z.email().max(254),
  phone: z
    .string()
    .regex(/^\+?1?\d{9,15}$/, 'a phone number is 9 to 15 digits, with + in front or not'),
})
type Person = z.infer<typeof Person>

const CustomerInput = z.strictObject({ person: Person, profile: ChurnProfile })

export const lookAtChurn = (ports: Looking, customer: string): Promise<ChurnState> =>
  lookAt(ports, Churn, customer)

const lookAtPerson = async (ports: Ports, customer: string) => {
  const { profile, number, forgotten } = await lookAt(ports, Customer, customer)
  if (profile === null || forgotten) return undefined
  return { number, person: await ports.vault.open(customer, profile) }
}

const stepOnCustomer = (
  { ports, context }: Enrichment,
  customer: string,
  name: string,
  decide: (now: CustomerState) => ReturnType<typeof Customer.decide.change>,
) =>
  submitStep(
    ports,
    {
      name,
      decider: Customer,
      stream: customer,
      on: 'any',
      otherwise: 'CUSTOMER_NOT_FOUND',
      decide,
    },
    context,
  )

/** Registers the person, unless that was done by the same request before. */
const registerPerson = async (
  enrichment: Enrichment,
  customer: string,
  person: Person,
): Promise<number | Refusal> => {
  const { ports, context, at } = enrichment
  const taken = await claimEmail(ports, person.email, customer, context)
  if (taken) return taken
  const known = await lookAtPerson(ports, customer)
  if (known) return known.number
  const number = await takeNumber(enrichment, 'customers')
  const profile = await ports.vault.seal(customer, person)
  const registered = await stepOnCustomer(enrichment, customer, 'customers.register', (now) =>
    Customer.decide.register(now, { customer, number, profile, registered_at: at }),
  )
  return isRefusal(registered) ? registered : number
}

/** A customer who may leave: the person and what models look at. */
export const addChurnCustomer = command({
  name: 'churn.add',
  permission: 'churn:use',
  input: CustomerInput,
  decider: Churn,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'CUSTOMER_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ person, profile }, enrichment) => {
    const { context, newId, at } = enrichment
    const customer = newId()
    // A dry run leaves nothing behind.
    const number = context.dryRun ? 1 : await registerPerson(enrichment, customer, person)
    if (isRefusal(number)) return number
    return { customer, number, profile, recorded_at: at }
  },
  decide: Churn.decide.record,
  answer: (events) =>
    dataOf<z.infer<typeof churnEvents.ChurnProfileRecorded>>(events, 'ChurnProfileRecorded'),
})

const churnCommand = onExisting({
  decider: Churn,
  field: 'customer',
  otherwise: 'CUSTOMER_NOT_FOUND',
})

const noCustomer = (customer: string) =>
  refuse('CUSTOMER_NOT_FOUND', `There is no customer ${customer}.`, { customer })

/** Replaces what is known of the person and of the customer. */
export const changeChurnCustomer = churnCommand({
  name: 'churn.change',
  permission: 'churn:use',
  input: z.strictObject({ customer: Identifier, ...CustomerInput.shape }),
  enrich: async ({ customer, person, profile }, enrichment) => {
    const { ports, context, at } = enrichment
    const known = await lookAtPerson(ports, customer)
    if (!known) return noCustomer(customer)
    const values = { customer, number: known.number, profile, recorded_at: at }
    if (context.dryRun) return values
    const taken = await claimEmail(ports, person.email, customer, context)
    if (taken) return taken
    const sealed = await ports.vault.seal(customer, person)
    const changed = await stepOnCustomer(enrichment, customer, 'customers.change', (now) =>
      Customer.decide.change(now, { customer, profile: sealed, changed_at: at }),
    )
    if (isRefusal(changed)) return changed
    const before = known.person?.email
    if (before !== undefined && before.toLowerCase() !== person.email.toLowerCase()) {
      await releaseEmail(ports, before, customer, context)
    }
    return values
  },
  decide: Churn.decide.record,
  answer: (_events, { customer }, { number }) => ({ customer, number }),
})

/** Forgets the person: his key is destroyed, his address is free. The history stays verifiable. */
export const removeChurnCustomer = churnCommand({
  name: 'churn.remove',
  permission: 'churn:use',
  input: z.strictObject({ customer: Identifier }),
  enrich: ({ customer }, { at }) => ({ customer, removed_at: at }),
  decide: Churn.decide.remove,
  after: async ({ customer }, enrichment) => {
    const { ports, context, at } = enrichment
    const known = await lookAtPerson(ports, customer)
    const email = known?.person?.email
    if (email !== undefined) await releaseEmail(ports, email, customer, context)
    await stepOnCustomer(enrichment, customer, 'customers.forget', (now) =>
      Customer.decide.forget(now, { customer, forgotten_at: at }),
    )
    await ports.vault.forget(customer)
  },
  answer: (_events, { customer }) => ({ customer }),
})

/** An hour: what was said a moment ago of the same facts by the same model is said again. */
const SAME_ANSWER_MS = 3_600_000

const isCurrent = ({ score, profile }: ChurnState, model: string, at: Date): boolean =>
  score !== null &&
  profile !== null &&
  hasSameFacts(score.features, profile) &&
  score.model === model &&
  Math.abs(at.getTime() - Date.parse(score.scored_at)) < SAME_ANSWER_MS

export const lookAtAlertSettings = (ports: Looking): Promise<AlertSettings> =>
  lookAt(ports, ChurnAlertSettings, 'settings')

/**
 * Scores a customer as he is known now, and raises what the score calls for. When somebody else
 * has scored him meanwhile, it is refused with REVISION_MISMATCH: whoever asks again gets to know
 * what the other was told. `PREDICTION_TRIES` says how often that is worth it.
 */
export const predictChurn = churnCommand({
  name: 'churn.predict',
  permission: 'churn:use',
  input: z.strictObject({ customer: Identifier }),
  enrich: async ({ customer }, enrichment) => {
    const { ports, context, at } = enrichment
    const state = await lookAtChurn(ports, customer)
    const { profile, score, scores } = state
    if (profile === null || state.removed) return noCustomer(customer)
    if (score && isCurrent(state, await ports.churnModel.version(), context.at)) {
      return { repeated: { ...score, customer } }
    }
    const rules = await lookAtAlertSettings(ports)
    const { reasons, challengers, ...said } = await ports.churnModel.score(profile)
    const alerts: number[] = []
    for (const _alert of alertsFor(state, said.probability, rules)) {
      alerts.push(await takeNumber(enrichment, 'alerts'))
    }
    const beside = challengers.length > 0 && { challengers: [...challengers] }
    const scored = { customer, ...said, features: profile, ...beside, scored_at: at }
    return { ...scored, reasons: [...reasons], rules, alerts, scores }
  },
  decide: (state: ChurnState, values) => {
    if ('repeated' in values) return []
    const { scores, ...scored } = values
    if (state.scores !== scores) {
      return refuse('REVISION_MISMATCH', 'The customer was scored by somebody else: ask again.')
    }
    return Churn.decide.score(state, scored)
  },
  answer: (events, { customer }, values) => {
    const scored =
      'repeated' in values
        ? values.repeated
        : dataOf<z.infer<typeof churnEvents.ChurnScored>>(events, 'ChurnScored')
    const { probability, scored_at, features, model } = scored
    const alerts = events.flatMap(({ type, data }) =>
      type === 'ChurnAlertRaised' ? [(data as { alert: number }).alert] : [],
    )
    return { customer, model, probability, scored_at, features, alerts }
  },
})

export const PREDICTION_TRIES = 5

/** Whether the customer left in the end: what the next model learns from. */
export const recordChurnOutcome = churnCommand({
  name: 'churn.record_outcome',
  permission: 'churn:use',
  input: z.strictObject({ customer: Identifier, churned: z.boolean() }),
  enrich: ({ customer, churned }, { at }) => ({ customer, churned, recorded_at: at }),
  decide: Churn.decide.recordOutcome,
  answer: (_events, { customer, churned }) => ({ customer, churned }),
})
