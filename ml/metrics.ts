/** How good scores are. Accuracy alone says nothing when one row in a hundred is fraud. */
export type Metrics = {
  readonly rows: number
  readonly base_rate: number
  readonly auc: number
  readonly average_precision: number
  readonly brier: number
}

type Point = { readonly score: number; readonly rows: number; readonly hits: number }

/** Rows and positives per distinct score, the highest score first. */
const points = (scores: Float32Array, labels: Uint8Array): Point[] => {
  const order = Array.from(scores.keys()).sort(
    (one, other) => (scores[other] as number) - (scores[one] as number),
  )
  const found: { score: number; rows: number; hits: number }[] = []
  for (const row of order) {
    const score = scores[row] as number
    const last = found.at(-1)
    if (last?.score === score) {
      last.rows += 1
      last.hits += labels[row] as number
    } else found.push({ score, rows: 1, hits: labels[row] as number })
  }
  return found
}

/** `scores` are probabilities, `labels` 0 or 1, both present. Ties count half in the AUC. */
export const metrics = (scores: Float32Array, labels: Uint8Array): Metrics => {
  const positive = labels.reduce((sum, label) => sum + label, 0)
  const negative = labels.length - positive
  let [ranked, precision, rows, hits] = [0, 0, 0, 0]
  for (const point of points(scores, labels)) {
    ranked += (point.rows - point.hits) * (hits + point.hits / 2)
    rows += point.rows
    hits += point.hits
    precision += (hits / rows) * (point.hits / positive)
  }
  const squares = scores.reduce(
    (sum, score, row) => sum + (score - (labels[row] as number)) ** 2,
    0,
  )
  return {
    rows: labels.length,
    base_rate: positive / labels.length,
    auc: ranked / (positive * negative),
    average_precision: precision,
    brier: squares / labels.length,
  }
}

/** The lowest score from which up the harmonic mean of precision and recall is highest. */
export const bestF1Threshold = (scores: Float32Array, labels: Uint8Array): number => {
  const positive = labels.reduce((sum, label) => sum + label, 0)
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

/** Precision and recall of calling everything from the threshold up positive. */
export const atThreshold = (scores: Float32Array, labels: Uint8Array, threshold: number) => {
  let [rows, hits, positive] = [0, 0, 0]
  scores.forEach((score, row) => {
    positive += labels[row] as number
    if (score < threshold) return
    rows += 1
    hits += labels[row] as number
  })
  return { precision: rows === 0 ? 1 : hits / rows, recall: hits / positive }
}
