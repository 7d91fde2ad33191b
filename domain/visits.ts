import { z } from 'zod'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { Day, Identifier, Instant } from './ledger/events.ts'

export const VisitPurpose = z.enum(['collection', 'opening', 'service', 'other'])
export type VisitPurpose = z.infer<typeof VisitPurpose>

const ByVisit = { visit: Identifier }

export const visitEvents = {
  VisitPlanned: z.object({
    ...ByVisit,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    client: Identifier,
    banker: Identifier,
    day: Day,
    purpose: VisitPurpose,
    planned_by: Identifier,
    planned_at: Instant,
  }),
  VisitCompleted: z.object({ ...ByVisit, completed_by: Identifier, completed_at: Instant }),
  VisitCancelled: z.object({ ...ByVisit, cancelled_by: Identifier, cancelled_at: Instant }),
} as const

type VisitEvent = EventOf<typeof visitEvents>
type Data<Type extends keyof typeof visitEvents> = z.infer<(typeof visitEvents)[Type]>
export type VisitPlan = Data<'VisitPlanned'>

export type VisitState = {
  readonly status: 'unknown' | 'planned' | 'completed' | 'cancelled'
  readonly plan: VisitPlan | null
}

const plan = (_state: VisitState, data: VisitPlan): Decision<VisitEvent> => [
  { type: 'VisitPlanned', data },
]

const settled = ({ status }: VisitState): Refusal | undefined =>
  status === 'planned'
    ? undefined
    : refuse('VISIT_NOT_PLANNED', `The visit is ${status} already.`, { status })

const complete = (state: VisitState, data: Data<'VisitCompleted'>): Decision<VisitEvent> =>
  settled(state) ?? [{ type: 'VisitCompleted', data }]

const cancel = (state: VisitState, data: Data<'VisitCancelled'>): Decision<VisitEvent> =>
  settled(state) ?? [{ type: 'VisitCancelled', data }]

/** A mobile banker on his way to a client. */
export const Visit = decider({
  category: 'visit',
  schemas: visitEvents,
  initial: (): VisitState => ({ status: 'unknown', plan: null }),
  evolve: {
    VisitPlanned: (_state, data): VisitState => ({ status: 'planned', plan: data }),
    VisitCompleted: (state): VisitState => ({ ...state, status: 'completed' }),
    VisitCancelled: (state): VisitState => ({ ...state, status: 'cancelled' }),
  },
  decide: { plan, complete, cancel },
})
