import { z } from '@hono/zod-openapi'
import { cancelVisit, completeVisit, planVisit } from '../../commands/visits.ts'
import { Day } from '../../domain/ledger/events.ts'
import { VisitPurpose } from '../../domain/visits.ts'
import { findHolder } from '../../projections/deposit_pages.ts'
import { getFieldMetrics } from '../../projections/field_metrics.ts'
import { findVisit, pageVisits, VisitStatus, type VisitView } from '../../projections/visits.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import { invalidField, ProblemError } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { afterwards, found, kept, noSuch, STAFF } from './accounts.ts'
import { Cedis, cedis, GivenId } from './amounts.ts'

const tag = 'Operations'
const PAGE_SIZE = 20
const MOST = 100

/** The id of the user whom a field names. */
const userOf = async (call: Call, field: string, number: number): Promise<string> => {
  const user = await found(ask({ ...call, reach: 'all' }, findHolder, { number }))
  if (!user) throw new ProblemError(invalidField(field, noSuch(number)))
  return user.user
}

const Visit = z
  .object({
    id: z.int(),
    client: z.int().nullable(),
    mobile_banker: z.int().nullable(),
    date: Day,
    purpose: VisitPurpose,
    status: VisitStatus,
    created_at: z.string(),
    /** When it was completed or cancelled. */
    settled_at: z.string().nullable(),
  })
  .openapi('CoastalVisit')

const visitOf = (visit: VisitView): z.infer<typeof Visit> => ({
  id: visit.number,
  client: visit.client_number,
  mobile_banker: visit.banker_number,
  date: visit.day,
  purpose: visit.purpose,
  status: visit.status,
  created_at: instant(visit.planned_at),
  settled_at: visit.settled_at && instant(visit.settled_at),
})

const show = async (call: Call, number: number) =>
  visitOf(await ask(afterwards(call), findVisit, { number }))

const Plan = z.object({ client: GivenId, date: Day, purpose: VisitPurpose.default('collection') })

const plan = async (call: Call<z.infer<typeof Plan>>) => {
  const { client: number, date: day, purpose } = call.input
  const client = await userOf(call, 'client', number)
  const { answer } = await tell(call, planVisit, { client, day, purpose })
  return { body: await show(call, answer.number) }
}

const ById = z.object({ id: GivenId })

type Settle = (call: Call, input: { readonly visit: string }) => Promise<unknown>
const complete: Settle = (call, input) => tell(call, completeVisit, input)
const cancel: Settle = (call, input) => tell(call, cancelVisit, input)

const settling = (settle: Settle) => async (call: Call<z.infer<typeof ById>>) => {
  const { visit, number } = await ask(call, findVisit, { number: call.input.id })
  await settle(call, { visit })
  return { body: await show(call, number) }
}

const Agent = z.object({ agent: GivenId.optional() })

const Listing = Agent.extend({
  status: VisitStatus.optional(),
  ...numberedPaging(PAGE_SIZE, MOST),
})

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const { agent, status, page, page_size } = call.input
  const asked = {
    ...{ page, page_size },
    ...(status !== undefined && { status }),
    ...(agent !== undefined && { banker: await userOf(call, 'agent', agent) }),
  }
  return { body: numberedPage(call, call.input, await ask(call, pageVisits, asked), visitOf) }
}

const Count = z.int().min(0)

const Metrics = z
  .object({
    visits: z.object({ total: Count, today: Count, this_week: Count, completed: Count }),
    clients: Count,
    collections: z.object({ today: Cedis, this_week: Cedis }),
    performance: z.object({
      completion_rate: z.number().openapi({ description: 'per cent of the visits' }),
    }),
  })
  .openapi('CoastalMobileBankerMetrics')

const rateOf = ({ completed, total }: { completed: number; total: number }): number =>
  total === 0 ? 0 : Math.round((10_000 * completed) / total) / 100

const measure = async (call: Call<z.infer<typeof Agent>>) => {
  const { agent } = call.input
  const banker = agent === undefined ? {} : { banker: await userOf(call, 'agent', agent) }
  const { visits, clients, collections } = await ask(call, getFieldMetrics, { ...kept, ...banker })
  const { today, this_week } = collections
  return {
    body: {
      ...{ visits, clients },
      collections: { today: cedis(today), this_week: cedis(this_week) },
      performance: { completion_rate: rateOf(visits) },
    },
  }
}

const settlingProblems = ['RESOURCE_NOT_FOUND', 'VISIT_NOT_PLANNED'] as const

export const operationRoutes: readonly Route[] = [
  route('post', '/api/operations/visits/', 'visits:work', {
    tag,
    summary: 'Plan a visit to a client',
    description: 'By the mobile banker who looks after him, or by a manager for that one.',
    status: 201,
    input: Plan,
    response: Visit,
    problems: ['CLIENT_NOT_ASSIGNED', 'VISIT_DAY_UNFIT'],
    example: {
      ...STAFF,
      body: { client: '{client_number}', date: '{tomorrow}', purpose: 'collection' },
      capture: { coastal_visit: 'id' },
    },
    furtherExamples: [
      {
        ...STAFF,
        body: { client: '{client_number}', date: '{tomorrow}' },
        capture: { coastal_other_visit: 'id' },
      },
    ],
    run: plan,
  }),
  route('get', '/api/operations/visits/', 'visits:work', {
    tag,
    summary: 'List visits by their days: managers see all, mobile bankers their own',
    input: Listing,
    response: numberedPageOf(Visit, 'CoastalVisit'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, query: { status: 'planned' } },
    run: list,
  }),
  route('get', '/api/operations/visits/{id}/', 'visits:work', {
    tag,
    summary: 'Show a visit',
    input: ById,
    response: Visit,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, params: { id: '{coastal_visit}' } },
    run: async (call) => ({ body: await show(call, call.input.id) }),
  }),
  route('post', '/api/operations/visits/{id}/complete/', 'visits:work', {
    tag,
    summary: 'Say that a visit was made',
    input: ById,
    response: Visit,
    problems: settlingProblems,
    example: { ...STAFF, params: { id: '{coastal_visit}' }, body: {} },
    run: settling(complete),
  }),
  route('post', '/api/operations/visits/{id}/cancel/', 'visits:work', {
    tag,
    summary: 'Say that a visit will not be made',
    input: ById,
    response: Visit,
    problems: settlingProblems,
    example: { ...STAFF, params: { id: '{coastal_other_visit}' }, body: {} },
    run: settling(cancel),
  }),
  route('get', '/api/operations/mobile-banker-metrics/', 'operations:read', {
    tag,
    summary: 'Show how mobile bankers are doing, or one of them',
    description:
      'Visits that were not cancelled, clients who are assigned, cash taken in. Weeks begin on ' +
      'Mondays; days are those of UTC.',
    input: Agent,
    response: Metrics,
    example: { ...STAFF, query: { agent: '{mobile_banker_number}' } },
    run: measure,
  }),
]
