/** The risk gate: a movement is scored and judged before it is booked, or in time without a score. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Engine } from '../commands/engine.ts'
import type { AskedMovement, RiskGate } from '../commands/ports.ts'
import { judge, thresholdsOf } from '../domain/judgement.ts'
import { circumstancesOf } from '../domain/labels.ts'
import { initialPolicy, Policies, type Policy } from '../domain/policies.ts'
import type { Screening } from '../domain/screening.ts'
import type { LiveFeatures } from '../ml/live_features.ts'
import type { Model } from '../ml/model.ts'
import { observationOf } from '../ml/movements.ts'
import { namedFeatures } from '../ml/scoring.ts'
import type { Log } from './log.ts'

export type GateSettings = {
  readonly engine: Engine
  readonly features: LiveFeatures
  /** The model that answers now. */
  readonly model: () => Promise<Model>
  readonly log: Pick<Log, 'warn'>
  readonly timeout_ms: number
}

type Governing = { readonly policy: Policy; readonly revision: number }

const FRESH_MS = 1_000

/** The same answer for a second: what a policy says counts that late at most. */
const createPolicies = (engine: Engine): ((book: string) => Promise<Governing>) => {
  const known = new Map<string, { readonly at: number; readonly governing: Promise<Governing> }>()
  const look = async (book: string): Promise<Governing> => {
    const { state, revision } = await engine.look(Policies, `${Policies.category}-${book}`)
    return { policy: state as Policy, revision }
  }
  return (book) => {
    const last = known.get(book)
    if (last && performance.now() - last.at < FRESH_MS) return last.governing
    const governing = look(book)
    known.set(book, { at: performance.now(), governing })
    governing.catch(() => known.delete(book))
    return governing
  }
}

const outcomes = {
  scored: { approve: 'post', review: 'hold', block: 'refuse' },
  unscored: { open: 'post', hold: 'hold', closed: 'refuse' },
} as const

const NO_TALLY = { movements: 0, wanted_blocked: 0 }

const scored = async (
  { features, model: modelOf }: GateSettings,
  asked: AskedMovement,
  { policy, revision }: Governing,
): Promise<Screening> => {
  const { book, entry, kind, account, counterparty, amount, asset, at } = asked
  const movement = { entry, kind, account, counterparty, amount, asset, booked_at: at }
  const observation = observationOf({ ...movement, ...circumstancesOf(asked.metadata) })
  const [vector, model] = await Promise.all([features.vectorOf(book, observation), modelOf()])
  const [probability = Number.NaN] = await model.score(vector)
  const named = namedFeatures(vector)
  const judged = { kind, account, counterparty, asset, features: named, probability, at }
  const { decision, by, wanted, rules } = judge(
    policy,
    judged,
    thresholdsOf(policy, model),
    NO_TALLY,
  )
  const explain = decision === 'approve' ? model.explain : model.explainExactly
  return {
    outcome: outcomes.scored[decision],
    score: {
      ...{ model: model.version, probability, decision, by, features: named },
      ...(wanted !== decision && { wanted }),
      ...(rules.length > 0 && { rules: [...rules] }),
      reasons: [...explain(vector)],
    },
    ...(revision >= 0 && { policy: revision }),
  }
}

const TOO_LATE = Symbol('too late')

export const createGate = (settings: GateSettings): RiskGate => {
  const policyOf = createPolicies(settings.engine)

  const attempt = async (asked: AskedMovement, learned: (found: Governing) => void) => {
    const governing = await policyOf(asked.book)
    learned(governing)
    return scored(settings, asked, governing)
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
