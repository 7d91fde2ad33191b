import { uuidv5 } from '../domain/ids.ts'
import type { NewEvent, Recorded } from '../domain/log.ts'
import type { TransactionScored } from '../domain/risk.ts'
import { riskEvents } from '../domain/risk.ts'
import { FEATURE_NAMES } from './features.ts'
import type { Model } from './model.ts'
import type { Movement } from './movements.ts'

/** A movement to be scored, the event that holds it, and its vector as of that moment. */
export type Pending = {
  readonly event: Recorded
  readonly movement: Movement
  readonly vector: Float32Array
}

export type Judge = {
  readonly model: Model
  /** The probability from which a movement is reviewed, and from which it is blocked. */
  readonly review_from: number
  readonly block_from: number
}

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

const decide = (judge: Judge, probability: number): TransactionScored['decision'] => {
  if (probability < judge.review_from) return 'approve'
  return probability < judge.block_from ? 'review' : 'block'
}

/** The event of one score. Its id follows from the entry, so that a repeated append is known. */
export const scoreEvent = (
  judge: Judge,
  { event, movement, vector }: Pending,
  probability: number,
  scored_at: string,
): NewEvent => {
  const { scored: _scored, terminal: _terminal, device: _device, ...rest } = movement
  const { model } = judge
  const decision = decide(judge, probability)
  // Exact reasons take some milliseconds, and only alerts are read by people.
  const reasons = decision === 'approve' ? model.explain(vector) : model.explainExactly(vector)
  const data: TransactionScored = {
    ...rest,
    model: model.version,
    features: namedFeatures(vector),
    probability,
    decision,
    reasons: [...reasons],
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
