import { uuidv5 } from '../domain/ids.ts'
import type { Judgement, RiskDecision } from '../domain/judgement.ts'
import type { NewEvent, Recorded } from '../domain/log.ts'
import type { Policy } from '../domain/policies.ts'
import type { TransactionScored } from '../domain/risk.ts'
import { riskEvents } from '../domain/risk.ts'
import { FEATURE_NAMES } from './features.ts'
import type { Model, ModelReason } from './model.ts'
import type { Movement } from './movements.ts'

/** A movement to be scored, the event that holds it, and its vector as of that moment. */
export type Pending = {
  readonly event: Recorded
  readonly movement: Movement
  readonly vector: Float32Array
}

/** The model that answers, and those that watch: what they say is recorded and changes nothing. */
export type Panel = { readonly champion: Model; readonly challengers: readonly Model[] }

/** What a book goes by; revision -1: it has said nothing. */
export type Governing = { readonly policy: Policy; readonly revision: number }

export const scoresOf = (book: string): string => `scores-${book}`

/** The vector by name. What has no value is left out: JSON knows no NaN. */
export const namedFeatures = (vector: Float32Array): Record<string, number> => {
  const named: Record<string, number> = {}
  FEATURE_NAMES.forEach((name, place) => {
    const value = vector[place] as number
    if (!Number.isNaN(value)) named[name] = value
  })
  return named
}

/** Vectors laid end to end, as models take them. */
export const endToEnd = (rows: readonly { readonly vector: Float32Array }[]): Float32Array => {
  const vectors = new Float32Array(rows.length * FEATURE_NAMES.length)
  rows.forEach(({ vector }, row) => {
    vectors.set(vector, row * FEATURE_NAMES.length)
  })
  return vectors
}

/** What a panel says of vectors laid end to end: the champion's probabilities, and the others'. */
type Scores = {
  readonly champion: Float32Array
  readonly challengers: readonly { readonly model: string; readonly found: Float32Array }[]
}

const askChallenger = async (model: Model, vectors: Float32Array) => {
  const found = await model.score(vectors)
  if (!found.every((one) => one >= 0 && one <= 1)) {
    throw new Error(`${model.version} gives what is no probability`)
  }
  return { model: model.version, found }
}

/** A challenger that fails is left out; a champion that fails throws. */
export const scoreBy = async (
  { champion, challengers }: Panel,
  vectors: Float32Array,
): Promise<Scores> => {
  const found = await champion.score(vectors)
  const watching = await Promise.allSettled(
    challengers.map((model) => askChallenger(model, vectors)),
  )
  return {
    champion: found,
    challengers: watching.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
  }
}

/** What a judged score says beside the score itself: nothing that goes without saying. */
export const judgedFields = ({ decision, by, wanted, rules }: Judgement, revision: number) => ({
  decision,
  ...(by !== 'model' && { by }),
  ...(wanted !== decision && { wanted }),
  ...(rules.length > 0 && { rules: [...rules] }),
  ...(revision >= 0 && { policy: revision }),
})

/** Exact reasons take some milliseconds, and only alerts are read by people. */
export const reasonsFor = (
  model: Model,
  decision: RiskDecision,
  vector: Float32Array,
): readonly ModelReason[] =>
  decision === 'approve' ? model.explain(vector) : model.explainExactly(vector)

export type Judged = {
  readonly model: Model
  readonly probability: number
  readonly challengers: TransactionScored['challengers']
  readonly judgement: Judgement
  readonly revision: number
}

/** The event of one score. Its id follows from the entry, so that a repeated append is known. */
export const scoreEvent = (
  { event, movement, vector }: Pending,
  { model, probability, challengers, judgement, revision }: Judged,
  scored_at: string,
): NewEvent => {
  const { scored: _scored, terminal: _terminal, device: _device, ...rest } = movement
  const data: TransactionScored = {
    ...rest,
    model: model.version,
    features: namedFeatures(vector),
    probability,
    ...judgedFields(judgement, revision),
    reasons: [...reasonsFor(model, judgement.decision, vector)],
    ...(challengers && challengers.length > 0 && { challengers }),
    scored_at,
  }
  return {
    id: uuidv5(`${scoresOf(movement.book)} ${movement.entry}`),
    type: 'TransactionScored',
    data: riskEvents.TransactionScored.parse(data),
    metadata: {
      ...(event.metadata.correlation && { correlation: event.metadata.correlation }),
      causation: event.id,
      actor: 'scorer',
      schema: '1',
    },
  }
}
