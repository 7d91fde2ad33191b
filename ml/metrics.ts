/** How good scores are. Accuracy alone says nothing when one row in a hundred is fraud. */
export type Metrics = {
  readonly rows: number
  readonly base_rate: number
  readonly auc: number
  readonly average_precision: number
  readonly brier: number
  readonly log_loss: number
}

/** What comes of calling everything from a threshold up positive. */
export type AtThreshold = {
  readonly threshold: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
  readonly accuracy: number
  /** Accuracy of calling everything negative, or everything positive: what is had for nothing. */
  readonly accuracy_of_guessing: number
  /** Share of the rows that is called positive: the work it makes. */
  readonly flagged: number
}

/** What mistakes and their prevention cost, in any one unit. */
export type Costs = {
  /** A positive below the threshold. */
  readonly missed: number
  /** Looking at one row from the threshold up. */
  readonly review: number
  /** A negative from the threshold up that is refused: 0 where everything is looked at first. */
  readonly wrong_block: number
}

type Point = { readonly score: number; readonly rows: number; readonly hits: number }

const LEAST_PROBABILITY = 1e-7

const positives = (labels: Uint8Array): number => labels.reduce((sum, label) => sum + label, 0)

/** Row numbers, the highest score first; among equals the earlier row first. */
export const ranked = (scores: Float32Array): Int32Array =>
  Int32Array.from(scores.keys()).sort(
    (one, other) => (scores[other] as number) - (scores[one] as number) || one - other,
  )

/** Rows and positives per distinct score, the highest score first. */
const points = (scores: Float32Array, labels: Uint8Array): Point[] => {
  const found: { score: number; rows: number; hits: number }[] = []
  for (const row of ranked(scores)) {
    const score = scores[row] as number
    const last = found.at(-1)
    if (last?.score === score) {
      last.rows += 1
      last.hits += labels[row] as number
    } else found.push({ score, rows: 1, hits: labels[row] as number })
  }
  return found
}

const surprise = (probability: number, label: number): number => {
  const given = label === 1 ? probability : 1 - probability
  return -Math.log(Math.max(LEAST_PROBABILITY, given))
}

/** `scores` are probabilities, `labels` 0 or 1, both present. Ties count half in the AUC. */
export const metrics = (scores: Float32Array, labels: Uint8Array): Metrics => {
  const positive = positives(labels)
  const negative = labels.length - positive
  let [pairs, precision, rows, hits] = [0, 0, 0, 0]
  for (const point of points(scores, labels)) {
    pairs += (point.rows - point.hits) * (hits + point.hits / 2)
    rows += point.rows
    hits += point.hits
    precision += (hits / rows) * point.hits
  }
  let [squares, surprises] = [0, 0]
  scores.forEach((score, row) => {
    const label = labels[row] as number
    squares += (score - label) ** 2
    surprises += surprise(score, label)
  })
  return {
    rows: labels.length,
    base_rate: positive / labels.length,
    auc: pairs / (positive * negative),
    average_precision: precision / positive,
    brier: squares / labels.length,
    log_loss: surprises / labels.length,
  }
}

/** The lowest score from which up the harmonic mean of precision and recall is highest. */
export const bestF1Threshold = (scores: Float32Array, labels: Uint8Array): number => {
  const positive = positives(labels)
  let [rows, hits, best, threshold] = [0, 0, -1, 1]
  for (const point of points(scores, labels)) {
    rows += point.rows
    hits += point.hits
    const f1 = (2 * hits) / (rows + positive)
    if (f1 > best) [best, threshold] = [f1, point.score]
  }
  return threshold
}

/** The lowest score from which up at least this share is positive; 1 when there is none. */
export const precisionThreshold = (
  scores: Float32Array,
  labels: Uint8Array,
  precision: number,
): number => {
  let [rows, hits, threshold] = [0, 0, 1]
  for (const point of points(scores, labels)) {
    rows += point.rows
    hits += point.hits
    if (hits / rows >= precision) threshold = point.score
  }
  return threshold
}

/** The threshold that would have cost least on these rows; 1 when acting never pays. */
export const cheapestThreshold = (
  scores: Float32Array,
  labels: Uint8Array,
  { missed, review, wrong_block }: Costs,
): { readonly threshold: number; readonly cost: number } => {
  let [cost, threshold] = [positives(labels) * missed, 1]
  let soFar = cost
  for (const point of points(scores, labels)) {
    soFar += point.rows * review + (point.rows - point.hits) * wrong_block - point.hits * missed
    if (soFar < cost) [cost, threshold] = [soFar, point.score]
  }
  return { threshold, cost }
}

/** All that must be told of a threshold together; precision is 1 when nothing is called positive. */
export const atThreshold = (
  scores: Float32Array,
  labels: Uint8Array,
  threshold: number,
): AtThreshold => {
  let [rows, hits] = [0, 0]
  scores.forEach((score, row) => {
    if (score < threshold) return
    rows += 1
    hits += labels[row] as number
  })
  const [positive, all] = [positives(labels), labels.length]
  return {
    threshold,
    precision: rows === 0 ? 1 : hits / rows,
    recall: hits / positive,
    f1: (2 * hits) / (rows + positive),
    accuracy: (all - rows - positive + 2 * hits) / all,
    accuracy_of_guessing: Math.max(positive, all - positive) / all,
    flagged: rows / all,
  }
}
