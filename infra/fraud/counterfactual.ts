import { z } from 'zod'
import type { Ports } from '../../commands/ports.ts'
import { thresholdsOf } from '../../domain/judgement.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import { championOf, Models } from '../../domain/models.ts'
import { Policies, type Policy } from '../../domain/policies.ts'
import type { TaskResult } from '../../domain/tasks.ts'
import { type Answer, askCounterfactual, inWords } from '../../ml/counterfactual.ts'
import { loadModel, type Model, SHIPPED_MODEL } from '../../ml/model.ts'
import type { Glance } from '../glance.ts'
import type { Artefacts } from '../models/artefacts.ts'
import { type Doer, TaskImpossible } from '../tasks/worker.ts'

export type CounterfactualOptions = {
  readonly ports: Ports
  readonly glance: Glance
  readonly artefacts: Artefacts
  /** Where reviewing begins by no policy; undefined: by the model's own. */
  readonly threshold: number | undefined
}

/** As a task keeps it: everything is text. */
const Asked = z.object({
  ...{ book: z.string(), booked_from: z.string(), booked_until: z.string() },
  matured_days: z.coerce.number(),
  model: z.string().optional(),
  review_from: z.coerce.number().optional(),
  block_from: z.coerce.number().optional(),
  rules: z.enum(['declared', 'live', 'none']),
})
type Asked = z.infer<typeof Asked>

const DAY_MS = 86_400_000

const policyFor = (declared: Policy, { review_from, block_from, rules }: Asked): Policy => ({
  ...declared,
  review_from: review_from ?? declared.review_from,
  block_from: block_from ?? declared.block_from,
  rules:
    rules === 'none'
      ? []
      : declared.rules.map((rule) =>
          rules === 'live' ? { ...rule, mode: 'live', snoozed_until: null } : rule,
        ),
})

const openModel = async (
  { glance, artefacts }: CounterfactualOptions,
  version: string | undefined,
): Promise<Model> => {
  const { state } = await glance(Models, 'fraud')
  if (version === undefined) {
    const champion = championOf(state)
    return loadModel(champion ? await artefacts.load(champion.sha256) : SHIPPED_MODEL)
  }
  const named = state.models.find((model) => model.version === version)
  if (!named) throw new TaskImpossible(`There is no fraud model ${version}.`)
  return loadModel(await artefacts.load(named.sha256))
}

const moneyOf = (name: string, values: Readonly<Record<string, bigint>>) =>
  Object.entries(values).map(([asset, amount]) => [`${name}:${asset}`, amount.toString()])

const resultOf = (answer: Answer): TaskResult => {
  const { movements, matured, frauds, was, would, changes } = answer
  const counted = Object.entries({ was, would }).flatMap(([when, tried]) => [
    [`${when}_alerts`, tried.alerts],
    [`${when}_blocked`, tried.blocked],
    [`${when}_caught`, tried.caught],
    [`${when}_declined`, tried.declined],
    ...moneyOf(`${when}_caught_value`, tried.caught_value),
    ...moneyOf(`${when}_declined_value`, tried.declined_value),
  ])
  return {
    message: inWords(answer),
    figures: { movements, matured, frauds, ...Object.fromEntries(counted) },
    examples: [...changes],
  }
}

/** What another model or policy would have made of a span of a book. */
export const tryCounterfactual =
  (options: CounterfactualOptions): Doer =>
  async ({ input }, tell, signal) => {
    const { ports, glance } = options
    const asked = Asked.parse(input)
    const { book, booked_from: from, booked_until: until, matured_days } = asked
    const { revision } = await ports.engine.look(Ledger, `${Ledger.category}-${book}`)
    if (revision < 0) throw new TaskImpossible(`There is no book ${book}.`)
    const { state: declared } = await glance(Policies, book)
    const policy = policyFor(declared, asked)
    const model = await openModel(options, asked.model)
    const { threshold = model.threshold } = options
    try {
      const answer = await askCounterfactual({
        ...{ store: ports.store, book, from, until, model, policy, signal },
        thresholds: thresholdsOf(policy, { ...model, threshold }),
        matured_until: new Date(ports.clock().getTime() - matured_days * DAY_MS).toISOString(),
        onProgress: (done) => tell({ stage: 'Replaying the book.', done }),
      })
      return resultOf(answer)
    } finally {
      await model.close()
    }
  }
