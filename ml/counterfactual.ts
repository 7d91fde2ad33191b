import type { Judgement, RiskDecision, Thresholds } from '../domain/judgement.ts'
import { decode } from '../domain/kernel.ts'
import type { EventStore } from '../domain/log.ts'
import type { Policy } from '../domain/policies.ts'
import { riskEvents, type TransactionScored } from '../domain/risk.ts'
import { countRecent, judgeNext, noneRecent, type Recent } from './brake.ts'
import type { Model } from './model.ts'
import { type Replayed, readVerdicts, replayBook } from './replay.ts'
import { endToEnd, namedFeatures, scoresOf } from './scoring.ts'

export type Question = {
  readonly store: EventStore
  readonly book: string
  /** ISO times: movements booked from then on, and before then. */
  readonly from: string
  readonly until: string
  /** What was booked before this is old enough for its frauds to be known. */
  readonly matured_until: string
  readonly model: Pick<Model, 'version' | 'score'>
  readonly policy: Policy
  readonly thresholds: Thresholds
  readonly signal: AbortSignal
  /** How much of the book was read so far, between 0 and 1. */
  readonly onProgress?: (done: number) => void
}

/** How one way of judging did. Money in minor units, by asset. */
type Tried = {
  /** Reviews and blocks. */
  alerts: number
  blocked: number
  /** Frauds that were reviewed or blocked. */
  caught: number
  caught_value: Record<string, bigint>
  /** Legitimate movements that were blocked. */
  declined: number
  declined_value: Record<string, bigint>
}

export type Change = {
  readonly entry: string
  readonly amount: string
  readonly asset: string
  readonly was: RiskDecision
  readonly would: RiskDecision
  readonly probability: number
}

export type Answer = {
  readonly movements: number
  /** Old enough to be judged; those that nobody labelled by then count as legitimate. */
  readonly matured: number
  readonly frauds: number
  readonly was: Readonly<Tried>
  readonly would: Readonly<Tried>
  /** Judged otherwise, the largest amounts first. */
  readonly changes: readonly Change[]
}

const MOST_CHANGES = 20
const AT_ONCE = 256

const nothingTried = (): Tried => ({
  ...{ alerts: 0, blocked: 0, caught: 0, caught_value: {}, declined: 0, declined_value: {} },
})

const add = (values: Record<string, bigint>, asset: string, amount: string): void => {
  values[asset] = (values[asset] ?? 0n) + BigInt(amount)
}

type Facts = {
  readonly asset: string
  readonly amount: string
  readonly fraud: boolean | undefined
}

/** `fraud` undefined: too young to say. */
const note = (tried: Tried, decision: RiskDecision, { asset, amount, fraud }: Facts): void => {
  if (decision !== 'approve') tried.alerts += 1
  if (decision === 'block') tried.blocked += 1
  if (fraud === true && decision !== 'approve') {
    tried.caught += 1
    add(tried.caught_value, asset, amount)
  }
  if (fraud === false && decision === 'block') {
    tried.declined += 1
    add(tried.declined_value, asset, amount)
  }
}

/** What was decided, score by score in the order of the book. */
async function* decisionsOf({
  store,
  book,
  signal,
}: Question): AsyncGenerator<TransactionScored, undefined> {
  for await (const event of store.readStream(scoresOf(book), { signal })) {
    yield decode(riskEvents, event).data as TransactionScored
  }
}

/** Keeps the largest few, without keeping all. */
const keepLargest = (changes: Change[], change: Change): void => {
  changes.push(change)
  if (changes.length <= 2 * MOST_CHANGES) return
  changes.sort(byAmount)
  changes.length = MOST_CHANGES
}
const byAmount = (one: Change, other: Change): number =>
  Number(BigInt(other.amount) - BigInt(one.amount)) || (one.entry < other.entry ? -1 : 1)

type Pair = Replayed & { readonly score: TransactionScored }

/** Every movement that was scored, beside its score. */
async function* pairsOf(question: Question): AsyncGenerator<Pair> {
  const { store, book, signal, onProgress } = question
  const decided = decisionsOf(question)
  const walk = { store, book, signal, ...(onProgress && { onProgress }) }
  try {
    for await (const replayed of replayBook(walk)) {
      const { value: score, done } = await decided.next()
      // The scorer has not come that far yet.
      if (done) return
      const { entry } = replayed.movement
      if (score.entry !== entry) {
        throw new Error(`the scores of ${book} do not follow it at ${entry}`)
      }
      yield { ...replayed, score }
    }
  } finally {
    await decided.return(undefined)
  }
}

/** Those of the span in portions for the model; the brake hears of what was before as it was. */
async function* portionsOf(question: Question, recent: Recent): AsyncGenerator<readonly Pair[]> {
  const { from, until } = question
  let portion: Pair[] = []
  for await (const pair of pairsOf(question)) {
    const { booked_at, decision, wanted } = pair.score
    if (booked_at < from) countRecent(recent, booked_at, (wanted ?? decision) === 'block')
    if (booked_at < from || booked_at >= until) continue
    portion.push(pair)
    if (portion.length < AT_ONCE) continue
    yield portion
    portion = []
  }
  if (portion.length > 0) yield portion
}

/**
 * What a model and a policy would have made of a span of a book, beside what was made of it, from
 * the log alone: the same log gives the same answer.
 */
export const askCounterfactual = async (question: Question): Promise<Answer> => {
  const { store, book, matured_until, model, policy, thresholds, signal } = question
  const verdicts = await readVerdicts(store, book, signal)
  const recent = noneRecent()
  const [was, would] = [nothingTried(), nothingTried()]
  const changes: Change[] = []
  let [movements, matured, frauds] = [0, 0, 0]

  const judgeNow = ({ movement, vector }: Pair, probability: number): Judgement => {
    const { booked_at } = movement
    const judged = { ...movement, features: namedFeatures(vector), probability, at: booked_at }
    return judgeNext(recent, policy, judged, thresholds)
  }
  for await (const portion of portionsOf(question, recent)) {
    const probabilities = await model.score(endToEnd(portion))
    portion.forEach((pair, row) => {
      const { entry, amount, asset, booked_at } = pair.movement
      const probability = probabilities[row] as number
      const isMatured = booked_at < matured_until
      const fraud = isMatured ? (verdicts.get(entry) ?? false) : undefined
      const { decision } = judgeNow(pair, probability)
      const facts = { asset, amount, fraud }
      note(was, pair.score.decision, facts)
      note(would, decision, facts)
      movements += 1
      if (isMatured) matured += 1
      if (fraud) frauds += 1
      if (decision === pair.score.decision) return
      const change = { was: pair.score.decision, would: decision, probability }
      keepLargest(changes, { entry, amount, asset, ...change })
    })
  }
  changes.sort(byAmount)
  return { movements, matured, frauds, was, would, changes: changes.slice(0, MOST_CHANGES) }
}

const signed = (difference: number): string =>
  `${difference < 0 ? '−' : '+'}${Math.abs(difference)}`

/** The answer in a sentence: what there would have been more of, and less. */
export const inWords = ({ movements, frauds, was, would }: Answer): string =>
  `${signed(would.alerts - was.alerts)} alerts, ${signed(would.caught - was.caught)} caught, ` +
  `${signed(would.declined - was.declined)} declined, over ${movements} movements with ` +
  `${frauds} known frauds.`
