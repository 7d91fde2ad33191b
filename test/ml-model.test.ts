import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CHURN_FEATURES } from '../domain/churn.ts'
import { agreesOn, loadModel, ModelRefused, SHIPPED_CHURN_MODEL } from '../ml/model.ts'
import { decodeOnnx, encodeOnnx, type OnnxFile } from '../ml/onnx.ts'
import { fork, index } from '../ml/random.ts'
import { margin, sigmoid, type Tree } from '../ml/trees.ts'

/** The oldest model that may still stand in somebody's store, and what it was trained on. */
const FRAUD_1 = fileURLToPath(new URL('../ml/models/fraud-1.onnx', import.meta.url))
const FRAUD_1_FEATURES = [
  'amount',
  'amount_to_mean',
  'amount_deviations',
  'count_1h',
  'sum_1h',
  'count_24h',
  'sum_24h',
  'seconds_since_last',
  'hour_of_day',
  'counterparty_new',
  'counterparty_payers_24h',
  'payers_24h',
  'account_age_days',
]
const WIDTH = FRAUD_1_FEATURES.length

const bytes = await readFile(FRAUD_1)
const file = decodeOnnx(bytes)
const model = await loadModel(bytes, FRAUD_1_FEATURES)

const vectors = (count: number): Float32Array => {
  const next = fork(8, 8)
  const sizes = [2000, 20, 10, 8, 5000, 20, 9000, 90_000, 24, 1, 6, 6, 90]
  return Float32Array.from({ length: count * WIDTH }, (_, place) =>
    next() < 0.15 ? Number.NaN : next() * (sizes[place % sizes.length] as number),
  )
}

describe('a model', () => {
  it('survives decoding and encoding unchanged', () => {
    expect(Buffer.compare(encodeOnnx(file), bytes)).toBe(0)
  })

  it('scores in onnxruntime as its trees do, missing values included', async () => {
    const rows = vectors(2_000)
    const found = await model.score(rows)
    expect(found).toHaveLength(2_000)
    found.forEach((probability, row) => {
      const ours = sigmoid(margin(file.forest, rows.subarray(row * WIDTH, (row + 1) * WIDTH)))
      expect(Math.abs(probability - ours)).toBeLessThan(1e-5)
    })
  })

  it('gives one row the same score alone and among others', async () => {
    const rows = vectors(64)
    const together = await model.score(rows)
    const row = index(fork(2, 2), 64)
    const [alone] = await model.score(rows.slice(row * WIDTH, (row + 1) * WIDTH))
    expect(alone).toBeCloseTo(together[row] as number, 6)
  })

  it('keeps all of its metadata', () => {
    expect(model.version).toBe('fraud-1')
    expect(JSON.parse(model.metadata.trained_on ?? '')).toMatchObject({ customers: 300 })
  })
})

describe('agreement on a whole set', () => {
  it('looks at every row, in more than one call', async () => {
    const found = await agreesOn(model, vectors(9_000))
    expect(found).toMatchObject({ rows: 9_000, agrees: true })
    expect(found.largest).toBeLessThan(1e-5)
  })

  it('finds the one row where the two differ, and the one that is no number', async () => {
    const rows = vectors(5_000)
    const victim = rows.slice(4_500 * WIDTH, 4_501 * WIDTH).join()
    const lying = (wrong: number) => ({
      ...model,
      score: async (part: Float32Array) =>
        (await model.score(part)).map((probability, row) =>
          part.slice(row * WIDTH, (row + 1) * WIDTH).join() === victim ? wrong : probability,
        ),
    })
    const found = await agreesOn(lying(0.77), rows)
    expect(found).toMatchObject({ agrees: false, row: 4_500 })
    expect(found.theirs).toBeCloseTo(0.77)
    const none = await agreesOn(lying(Number.NaN), rows)
    expect(none).toMatchObject({ agrees: false, row: 4_500 })
  })
})

describe('a model of other features', () => {
  it('scores and explains by the names it was trained on', async () => {
    const churn = await loadModel(SHIPPED_CHURN_MODEL, CHURN_FEATURES)
    const vector = Float32Array.of(57, 2, 90_000.5, 3, 1, 0, 50_000)
    const [probability] = await churn.score(vector)
    expect(probability).toBeGreaterThan(0.7)
    const reasons = churn.explain(vector)
    expect(reasons).toHaveLength(3)
    expect(reasons.map(({ feature }) => feature)).toEqual(
      expect.arrayContaining(['age', 'products', 'active']),
    )
    expect(reasons.map(({ text }) => text)).toContain('products 3')
    expect(churn.block_threshold).toBe(1)
    const exact = churn.explainExactly(vector)
    expect(exact.map(({ feature }) => feature).sort()).toEqual(['active', 'age', 'products'])
    await churn.close()
  })

  it('leaves out of the reasons what is not known and what lowered the score', async () => {
    const churn = await loadModel(SHIPPED_CHURN_MODEL, CHURN_FEATURES)
    const nothing = new Float32Array(CHURN_FEATURES.length).fill(Number.NaN)
    expect(churn.explain(nothing)).toEqual([])
    const calm = Float32Array.of(25, 5, 0, 2, 1, 1, 50_000)
    expect(churn.explain(calm).map(({ feature }) => feature)).not.toContain('products')
    await churn.close()
  })
})

describe('a model is refused', () => {
  const refusal = async (source: Uint8Array, names = FRAUD_1_FEATURES): Promise<string> => {
    const error = await loadModel(source, names).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ModelRefused)
    return (error as Error).message
  }
  const withTree = (change: (tree: Tree) => void): OnnxFile => {
    const copy = decodeOnnx(bytes)
    change(copy.forest.trees[0] as Tree)
    return copy
  }

  it('when its features are not those asked for, in that order', async () => {
    const reversed = [...FRAUD_1_FEATURES].reverse()
    expect(await refusal(bytes, reversed)).toContain('trained on')
    expect(await refusal(bytes, [...CHURN_FEATURES])).toContain('trained on')
    const features = JSON.stringify(CHURN_FEATURES)
    const mislabelled = { ...file, metadata: { ...file.metadata, features } }
    expect(await refusal(encodeOnnx(mislabelled), [...CHURN_FEATURES])).toContain('trained on')
  })

  it('when a threshold is no probability', async () => {
    const metadata = { ...file.metadata, threshold: 'high' }
    expect(await refusal(encodeOnnx({ ...file, metadata }))).toContain('threshold')
    const { threshold: _, ...none } = file.metadata
    expect(await refusal(encodeOnnx({ ...file, metadata: none }))).toContain('threshold')
    const over = { ...file.metadata, block_threshold: '1.5' }
    expect(await refusal(encodeOnnx({ ...file, metadata: over }))).toContain('block_threshold')
  })

  it('when it is no forest', async () => {
    await refusal(new TextEncoder().encode('not a model'))
    await refusal(new Uint8Array())
  })

  it('when its trees run in a circle, ask for what is not there or do not count their rows', async () => {
    const circle = withTree(({ yes }) => {
      yes[1] = 0
    })
    expect(await refusal(encodeOnnx(circle))).toContain('leads nowhere')
    const stranger = withTree(({ feature }) => {
      feature[0] = WIDTH
    })
    expect(await refusal(encodeOnnx(stranger))).toContain('asks for feature 13')
    const uncounted = withTree(({ rows }) => {
      rows.fill(0)
    })
    expect(await refusal(encodeOnnx(uncounted))).toContain('count of its rows')
    const endless = withTree(({ value, feature }) => {
      value[feature.indexOf(-1)] = Number.POSITIVE_INFINITY
    })
    expect(await refusal(encodeOnnx(endless))).toContain('finite')
  })

  it('when onnxruntime reads the file otherwise than we do', async () => {
    // The same length and shape, but onnxruntime obeys BRANCH_GTE where we read BRANCH_LEQ.
    const text = Buffer.from(bytes).toString('latin1').replaceAll('BRANCH_LEQ', 'BRANCH_GTE')
    expect(await refusal(Buffer.from(text, 'latin1'))).toContain('onnxruntime says')
  })
})
