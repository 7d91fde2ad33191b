import { z } from 'zod'
import { dayAfter, dayOf } from '../domain/calendar.ts'
import { type Refusal, refuse } from '../domain/kernel.ts'
import { Day, Identifier } from '../domain/ledger/events.ts'
import { Visit, type VisitPlan, VisitPurpose } from '../domain/visits.ts'
import { bankerOf } from './assignments.ts'
import { command, type Enrichment, onExisting, takeNumber } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { lookAt } from './look.ts'

/** How far ahead visits are planned. */
const MOST_DAYS = 366

const notYours = (): Refusal =>
  refuse('CLIENT_NOT_ASSIGNED', 'The customer is not one of your clients.')

/** Of a client by the mobile banker who looks after him, today or later. */
export const planVisit = command({
  name: 'visits.plan',
  permission: 'visits:work',
  input: z.strictObject({ client: Identifier, day: Day, purpose: VisitPurpose }),
  decider: Visit,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'VISIT_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ client, day, purpose }, enrichment): Promise<VisitPlan | Refusal> => {
    const { ports, context, reach, at, newId } = enrichment
    const banker = await bankerOf(ports, client)
    if (banker === null || (reach !== 'all' && banker !== context.actor.id)) return notYours()
    const today = dayOf(at, 'UTC')
    if (day < today || day > dayAfter(today, MOST_DAYS)) {
      return refuse('VISIT_DAY_UNFIT', 'A visit is today or within a year.', { field: 'day' })
    }
    const planned = { planned_by: context.actor.id, planned_at: at }
    const number = await takeNumber(enrichment, 'visits')
    return { visit: newId(), number, client, banker, day, purpose, ...planned }
  },
  decide: Visit.decide.plan,
  answer: (events) => {
    const { visit, number } = dataOf<VisitPlan>(events, 'VisitPlanned')
    return { visit, number, status: 'planned' as const }
  },
})

const visitCommand = onExisting({ decider: Visit, field: 'visit', otherwise: 'VISIT_NOT_FOUND' })
const ByVisit = z.strictObject({ visit: Identifier })

/** The refusal unless it is the actor's own visit, or he reaches those of everybody. */
const foreign = async (
  visit: string,
  { ports, reach, context }: Pick<Enrichment, 'ports' | 'reach' | 'context'>,
): Promise<Refusal | undefined> => {
  const { plan } = await lookAt(ports, Visit, visit)
  const isReached = reach === 'all' || plan?.banker === context.actor.id
  return isReached ? undefined : refuse('VISIT_NOT_FOUND', `There is no visit ${visit}.`)
}

export const completeVisit = visitCommand({
  name: 'visits.complete',
  permission: 'visits:work',
  input: ByVisit,
  enrich: async ({ visit }, enrichment) =>
    (await foreign(visit, enrichment)) ?? {
      ...{ visit, completed_by: enrichment.context.actor.id, completed_at: enrichment.at },
    },
  decide: Visit.decide.complete,
  answer: (_events, { visit }) => ({ visit, status: 'completed' as const }),
})

export const cancelVisit = visitCommand({
  name: 'visits.cancel',
  permission: 'visits:work',
  input: ByVisit,
  enrich: async ({ visit }, enrichment) =>
    (await foreign(visit, enrichment)) ?? {
      ...{ visit, cancelled_by: enrichment.context.actor.id, cancelled_at: enrichment.at },
    },
  decide: Visit.decide.cancel,
  answer: (_events, { visit }) => ({ visit, status: 'cancelled' as const }),
})
