import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { FEATURE_NAMES } from '../ml/features.ts'
import { loadModel, ModelRefused, SHIPPED_MODEL } from '../ml/model.ts'
import { decodeOnnx, encodeOnnx } from '../ml/onnx.ts'
import { fork, index } from '../ml/random.ts'
import { reasonsFrom } from '../ml/reasons.ts'
import { SHIPPED, train } from '../ml/train.ts'
import { margin, sigmoid } from '../ml/trees.ts'

const shipped = await readFile(SHIPPED_MODEL)
const file = decodeOnnx(shipped)
const model = await loadModel(shipped)

const vectors = (count: number): Float32Array => {
  const next = fork(8, 8)
  const sizes = [2000, 20, 10, 8, 5000, 20, 9000, 90_000, 24, 1, 6, 6, 90]
  return Float32Array.from({ length: count * FEATURE_NAMES.length }, (_, place) =>
    next() < 0.15 ? Number.NaN : next() * (sizes[place % sizes.length] as number),
  )
}

describe('the shipped model', () => {
  it('is what training makes of its settings, byte for byte', () => {
    expect(Buffer.compare(train(SHIPPED).bytes, shipped)).toBe(0)
  }, 60_000)

  it('says what it is and what it was trained on', () => {
    expect(model.version).toBe('fraud-1')
    expect(model.featureNames).toEqual([...FEATURE_NAMES])
    expect(model.threshold).toBeLessThanOrEqual(model.block_threshold)
    expect(JSON.parse(model.metadata.trained_on ?? '')).toMatchObject({ customers: 300 })
    expect(JSON.parse(model.metadata.metrics ?? '').auc).toBeGreaterThan(0.95)
  })

  it('survives decoding and encoding unchanged', () => {
    expect(Buffer.compare(encodeOnnx(file), shipped)).toBe(0)
  })

  it('scores in onnxruntime as its trees do, missing values included', async () => {
    const rows = vectors(2_000)
    const found = await model.score(rows)
    expect(found).toHaveLength(2_000)
    const width = FEATURE_NAMES.length
    found.forEach((probability, row) => {
      const ours = sigmoid(margin(file.forest, rows.subarray(row * width, (row + 1) * width)))
      expect(Math.abs(probability - ours)).toBeLessThan(1e-5)
    })
  })

  it('gives one row the same score alone and among others', async () => {
    const rows = vectors(64)
    const together = await model.score(rows)
    const row = index(fork(2, 2), 64)
    const width = FEATURE_NAMES.length
    const [alone] = await model.score(rows.slice(row * width, (row + 1) * width))
    expect(alone).toBeCloseTo(together[row] as number, 6)
  })
})

describe('a model is refused', () => {
  const refusal = async (bytes: Uint8Array): Promise<string> => {
    const error = await loadModel(bytes).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ModelRefused)
    return (error as Error).message
  }

  it('when its features are not the reducer’s, in that order', async () => {
    const names = JSON.stringify([...FEATURE_NAMES].reverse())
    const metadata = { ...file.metadata, features: names }
    expect(await refusal(encodeOnnx({ ...file, metadata }))).toContain('reducer')
  })

  it('when a threshold is no probability', async () => {
    const metadata = { ...file.metadata, threshold: 'high' }
    expect(await refusal(encodeOnnx({ ...file, metadata }))).toContain('threshold')
  })

  it('when it is no forest', async () => {
    await refusal(new TextEncoder().encode('not a model'))
    await refusal(new Uint8Array())
  })

  it('when onnxruntime reads the file otherwise than we do', async () => {
    // The same length and shape, but onnxruntime obeys BRANCH_GTE where we read BRANCH_LEQ.
    const text = Buffer.from(shipped).toString('latin1').replaceAll('BRANCH_LEQ', 'BRANCH_GTE')
    expect(await refusal(Buffer.from(text, 'latin1'))).toContain('onnxruntime says')
  })
})

describe('reasons', () => {
  const seen: Record<string, number> = {
    amount: 412,
    amount_to_mean: 412 / 79,
    amount_deviations: -2.5,
    count_1h: 1,
    sum_1h: 20,
    count_24h: 4,
    sum_24h: 80.5,
    seconds_since_last: 90,
    hour_of_day: 2.25,
    counterparty_new: 1,
    counterparty_payers_24h: 3,
    payers_24h: 0,
    account_age_days: 12,
  }
  const vector = Float32Array.from(FEATURE_NAMES, (name) => seen[name] as number)
  const only = (...names: string[]) =>
    Float64Array.from(FEATURE_NAMES, (name) => {
      const place = names.indexOf(name)
      return place < 0 ? -1 : names.length - place
    })

  it('name the strongest features with what was seen and the norm', () => {
    const contributions = only('amount_to_mean', 'count_24h', 'counterparty_new', 'amount')
    expect(reasonsFrom(contributions, vector)).toEqual([
      {
        feature: 'amount_to_mean',
        value: Math.fround(412 / 79),
        contribution: 4,
        text: "amount 5.2 times this account's mean (412.00 against 79.00)",
      },
      {
        feature: 'count_24h',
        value: 4,
        contribution: 3,
        text: '4 payments from this account in the day before',
      },
      {
        feature: 'counterparty_new',
        value: 1,
        contribution: 2,
        text: 'first payment to this counterparty',
      },
    ])
  })

  it.each([
    ['amount', 'amount 412.00'],
    ['amount_deviations', "amount 2.5 standard deviations below this account's mean"],
    ['count_1h', '1 payment from this account in the hour before'],
    ['sum_1h', '20.00 left this account in the hour before'],
    ['sum_24h', '80.50 left this account in the day before'],
    ['seconds_since_last', "90 seconds after this account's payment before"],
    ['hour_of_day', 'made at 02:15 UTC'],
    ['counterparty_payers_24h', 'counterparty was paid by 3 accounts in the day before'],
    ['payers_24h', 'this account was paid by 0 accounts in the day before'],
    ['account_age_days', 'account first seen 12 days ago'],
  ])('%s reads: %s', (name, text) => {
    expect(reasonsFrom(only(name), vector).map((reason) => reason.text)).toEqual([text])
  })

  it('leave out what lowered the score and what has no value', () => {
    const missing = vector.map((value, place) =>
      FEATURE_NAMES[place] === 'amount_to_mean' ? Number.NaN : value,
    )
    expect(reasonsFrom(only('amount_to_mean'), missing)).toEqual([])
    expect(reasonsFrom(only(), vector)).toEqual([])
  })
})
