import { z } from '@hono/zod-openapi'
import type { Command } from '../../commands/kernel.ts'
import type { Laboratory } from '../../commands/laboratory.ts'
import { Contested, promoteByRule } from '../../commands/models.ts'
import { requestCounterfactual, requestFraudTraining } from '../../commands/tasks.ts'
import { isRefusal, type Refusal } from '../../domain/kernel.ts'
import { BookId } from '../../domain/ledger/events.ts'
import { ModelVersion } from '../../domain/models.ts'
import { Balance } from '../../domain/money.ts'
import type { TaskRequest } from '../../domain/tasks.ts'
import { ProblemError, problemOf } from '../problems.ts'
import { type Call, type Route, write } from '../route.ts'

const tag = 'Risk laboratory'
const book = 'example'
const days = (fallback: number) => z.coerce.number().int().min(1).max(3_650).default(fallback)
const cost = (fallback: number) => z.coerce.number().min(0).max(1_000_000).default(fallback)
const Matured = { matured_days: z.coerce.number().int().min(0).max(365).default(7) }
const OfModel = { model: ModelVersion.optional() }
const MATURED =
  'Judged by movements older than `matured_days`: those that nobody labelled by then count as ' +
  'legitimate.'

const Judging = z.object({ review_from: z.number(), block_from: z.number(), cost: z.number() })
const Thresholds = z
  .object({
    model: z.string(),
    rows: z.int(),
    more: z.boolean().openapi({ description: 'there were older movements, which were left out' }),
    ...{ base_rate: z.number(), auc: z.number(), average_precision: z.number(), brier: z.number() },
    best: Judging,
    present: Judging,
    approve_all: z.number(),
  })
  .openapi('ThresholdAdvice')

const drifted = { psi: z.number(), verdict: z.enum(['stable', 'moderate', 'drifted']) }
const Drift = z
  .object({
    model: z.string(),
    reference_rows: z.int(),
    rows: z.int(),
    score: z.object(drifted),
    features: z.array(z.object({ feature: z.string(), ...drifted })),
  })
  .openapi('Drift')

const BothSides = z.object({ champion: z.number(), challenger: z.number() })
const Lead = z.object({ difference: z.number(), low: z.number(), high: z.number() })
const Contest = z
  .object({
    ...{ champion: z.string(), challenger: z.string(), rows: z.int(), frauds: z.int() },
    average_precision: BothSides,
    net_value: z
      .object({ champion: Balance, challenger: Balance })
      .openapi({ description: 'minor units: frauds stopped less what stops cost' }),
    precision_lead: Lead,
    value_lead: z.object({ difference: Balance, low: Balance, high: Balance }),
    earned: z.boolean(),
  })
  .openapi('ModelContest')

/** Puts a question to the laboratory at an address. */
const inquire = <Input extends z.ZodType>(
  path: string,
  input: Input,
  ask: (laboratory: Laboratory, asked: z.infer<Input>) => Promise<object | Refusal>,
  described: Pick<Route, 'summary' | 'description' | 'response' | 'example'>,
): Route => ({
  ...described,
  ...{ tag, path, input, method: 'get', permission: 'risk:read', source: 'query', status: 200 },
  problems: [
    'EVIDENCE_INSUFFICIENT',
    ...(path.includes('{version}') ? (['MODEL_NOT_FOUND'] as const) : []),
  ],
  run: async ({ services, input: asked }: Call) => {
    const found = await ask(services.ports.laboratory, asked as z.infer<Input>)
    if (isRefusal(found)) throw new ProblemError(problemOf(found))
    return { body: found }
  },
})

/** Asks for a task and begins it. */
const tasked = <Input extends z.ZodType, Values>(
  path: string,
  command: Command<Input, Values, TaskRequest>,
  described: Pick<Route, 'summary' | 'example'> & { readonly description: string },
): Route => {
  const asking = write('post', path, command, {
    ...{ ...described, tag, status: 202 },
    response: z.object({ task: z.string(), status: z.literal('requested') }),
    view: ({ task }) => ({ task, status: 'requested' }),
    location: ({ task }) => `/v1/tasks/${task}`,
  })
  return {
    ...asking,
    run: async (call) => {
      const answer = await asking.run(call)
      if (!call.dryRun) call.services.tasks.begin((answer.body as { task: string }).task)
      return answer
    },
  }
}

const contested = { family: 'fraud', version: 'fraud-9' }

export const laboratoryRoutes: readonly Route[] = [
  inquire(
    '/v1/risk/thresholds',
    z.strictObject({
      ...{ book: BookId, ...OfModel, ...Matured, since_days: days(90) },
      ...{ missed: cost(40), review: cost(1), wrong_block: cost(10) },
    }),
    (laboratory, asked) => laboratory.thresholds(asked),
    {
      summary: 'Show the thresholds that would have cost least',
      description: `${MATURED} Costs are in any one unit: a fraud that was approved, a look, a legitimate movement that was blocked. \`present\` is what holds now, also for the scores of a \`model\` that answered before.`,
      response: Thresholds,
      example: { query: { book, matured_days: '0' }, refused: 'EVIDENCE_INSUFFICIENT' },
    },
  ),
  inquire(
    '/v1/risk/drift',
    z.strictObject({ book: BookId, ...OfModel, days: days(7), reference_days: days(30) }),
    (laboratory, asked) => laboratory.drift(asked),
    {
      summary: 'Show how far features and scores have moved from what they were',
      description:
        'Population stability index of the last `days` against the `reference_days` before: below ' +
        '0.1 stable, from 0.25 drifted.',
      response: Drift,
      example: { query: { book }, refused: 'EVIDENCE_INSUFFICIENT' },
    },
  ),
  inquire(
    '/v1/models/{family}/challengers/{version}/contest',
    z.strictObject(Contested),
    (laboratory, asked) => laboratory.contest(asked),
    {
      summary: 'Compare a challenger with the champion on the movements that both scored',
      description: `${MATURED} Earned: better in average precision and in net value, both beyond the bootstrap interval of this level. A look costs \`review\` minor units of the asset (200), a legitimate movement that is stopped \`wrong_block\` more (1000), a missed fraud its amount.`,
      response: Contest,
      example: {
        params: contested,
        query: { book, asset: 'USD/2' },
        refused: 'MODEL_NOT_FOUND',
      },
    },
  ),
  tasked('/v1/risk/counterfactuals', requestCounterfactual, {
    summary: 'Ask what another model, other thresholds or other rules would have made of a span',
    description:
      'Replays the book from the log: so many alerts more, so many frauds caught more, so many ' +
      'legitimate movements declined less, with the entries that change most. The task has the answer.',
    example: {
      body: {
        ...{ book, booked_from: '2000-01-01T00:00:00.000Z' },
        booked_until: '2099-01-01T00:00:00.000Z',
        ...{ review_from: 0.2, block_from: 0.9, rules: 'live' },
      },
    },
  }),
  tasked('/v1/models/fraud/trainings', requestFraudTraining, {
    summary: 'Train a fraud model on a book’s own movements and labels',
    description:
      'In a thread of its own. The model answers nothing until it is promoted; name it a challenger ' +
      'to have it score beside the champion.',
    example: { body: { book } },
  }),
  write('post', '/v1/models/{family}/challengers/{version}/promote', promoteByRule, {
    tag,
    summary: 'Let a challenger answer from now on, if it has earned that',
    description: 'The figures stand in the event. `POST .../champion` promotes on somebody’s word.',
    status: 200,
    response: z.object({
      ...{ family: z.literal('fraud'), version: z.string(), status: z.literal('champion') },
    }),
    problems: ['MODEL_NOT_FOUND', 'EVIDENCE_INSUFFICIENT', 'PROMOTION_NOT_EARNED'],
    example: {
      params: contested,
      body: { book, asset: 'USD/2' },
      refused: 'MODEL_NOT_FOUND',
    },
  }),
]
