/** The risk gate: a movement is scored and judged before it is booked, or in time without a score. */
import { setTimeout as wait } from 'node:timers/promises'
import type { AskedMovement, RiskGate } from '../commands/ports.ts'
import { thresholdsOf } from '../domain/judgement.ts'
import { circumstancesOf } from '../domain/labels.ts'
import { initialPolicy, Policies } from '../domain/policies.ts'
import type { Screening } from '../domain/screening.ts'
import { judgeNext, noneRecent, type Recent } from '../ml/brake.ts'
import type { LiveFeatures } from '../ml/live_features.ts'
import { observationOf } from '../ml/movements.ts'
import { type Governing, judgedFields, namedFeatures, reasonsFor } from '../ml/scoring.ts'
import type { Glance } from './glance.ts'
import type { Log } from './log.ts'
import type { Bench } from './models/panel.ts'

export type GateSettings = {
  readonly glance: Glance
  readonly features: LiveFeatures
  /** The models that answer and watch. */
  readonly fraud: Pick<Bench, 'withPanel'>
  readonly log: Pick<Log, 'warn'>
  readonly timeout_ms: number
}

const outcomes = {
  scored: { approve: 'post', review: 'hold', block: 'refuse' },
  unscored: { open: 'post', hold: 'hold', closed: 'refuse' },
} as const

const scored = async (
  { features, fraud }: GateSettings,
  recent: Recent,
  asked: AskedMovement,
  { policy, revision }: Governing,
): Promise<Screening> => {
  const { book, entry, kind, account, counterparty, amount, asset, at } = asked
  const movement = { entry, kind, account, counterparty, amount, asset, booked_at: at }
  const observation = observationOf({ ...movement, ...circumstancesOf(asked.metadata) })
  const vector = await features.vectorOf(book, observation)
  const named = namedFeatures(vector)
  return fraud.withPanel(async ({ champion: model }) => {
    const [probability = Number.NaN] = await model.score(vector)
    const judged = { ...movement, features: named, probability, at }
    const judgement = judgeNext(recent, policy, judged, thresholdsOf(policy, model))
    const { policy: governed, ...fields } = judgedFields(judgement, revision)
    return {
      outcome: outcomes.scored[judgement.decision],
      score: {
        ...{ model: model.version, probability, features: named, ...fields },
        reasons: [...reasonsFor(model, judgement.decision, vector)],
      },
      ...(governed !== undefined && { policy: governed }),
    }
  })
}

const MOST_BOOKS = 64
const TOO_LATE = Symbol('too late')

export const createGate = (settings: GateSettings): RiskGate => {
  const books = new Map<string, Recent>()

  const recentOf = (book: string): Recent => {
    const recent = books.get(book) ?? noneRecent()
    books.delete(book)
    books.set(book, recent)
    const [oldest] = books.keys()
    if (oldest !== undefined && books.size > MOST_BOOKS) books.delete(oldest)
    return recent
  }
  const attempt = async (asked: AskedMovement, learned: (found: Governing) => void) => {
    const { state: policy, revision } = await settings.glance(Policies, asked.book)
    learned({ policy, revision })
    return scored(settings, recentOf(asked.book), asked, { policy, revision })
  }
  return {
    screen: async (asked) => {
      let governing: Governing = { policy: initialPolicy(), revision: -1 }
      const timer = new AbortController()
      const late = wait(settings.timeout_ms, TOO_LATE, { signal: timer.signal })
      late.catch(() => undefined)
      let failure: Screening['failure'] = 'timed_out'
      try {
        const found = attempt(asked, (known) => {
          governing = known
        })
        found.catch(() => undefined)
        const screening = await Promise.race([found, late])
        if (screening !== TOO_LATE) return screening
        settings.log.warn({ book: asked.book }, 'the risk gate took too long')
      } catch (error) {
        failure = 'unavailable'
        settings.log.warn({ error: String(error), book: asked.book }, 'the risk gate cannot score')
      } finally {
        timer.abort()
      }
      const { policy, revision } = governing
      return {
        outcome: outcomes.unscored[policy.when_unsure],
        score: null,
        failure,
        ...(revision >= 0 && { policy: revision }),
      }
    },
  }
}
