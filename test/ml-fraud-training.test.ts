import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { FEATURE_NAMES } from '../ml/features.ts'
import { loadModel, SHIPPED_MODEL } from '../ml/model.ts'
import { SHIPPED, train } from '../ml/train.ts'

describe('training on simulated traffic', () => {
  const small = {
    ...SHIPPED,
    traffic: { ...SHIPPED.traffic, customers: 120, days: 60, fraud: { attacks: 30, mules: 6 } },
    boost: { ...SHIPPED.boost, trees: 40 },
  }
  const first = train(small)

  it('finds a ring it has not seen yet, later in time', () => {
    expect(first.report.tested_on.auc).toBeGreaterThan(0.95)
    expect(first.report.tested_on.average_precision).toBeGreaterThan(0.6)
    expect(first.report.tested_on.base_rate).toBeLessThan(0.08)
  })

  it('gives the same bytes for the same settings, others for another seed', () => {
    expect(Buffer.compare(train(small).bytes, first.bytes)).toBe(0)
    const reseeded = train({ ...small, boost: { ...small.boost, seed: 2 } })
    expect(Buffer.compare(reseeded.bytes, first.bytes)).not.toBe(0)
  })

  it('sets the blocking threshold at or above the reviewing one', () => {
    const { threshold, block_threshold } = first.report
    expect(threshold).toBeGreaterThan(0)
    expect(block_threshold).toBeGreaterThanOrEqual(threshold)
    expect(block_threshold).toBeLessThanOrEqual(1)
  })
})

describe('the shipped fraud model', () => {
  it('is what training makes of its settings, byte for byte', async () => {
    expect(Buffer.compare(train(SHIPPED).bytes, await readFile(SHIPPED_MODEL))).toBe(0)
  }, 120_000)

  it('says what it is, what it was trained on and how well it did', async () => {
    const model = await loadModel(SHIPPED_MODEL, FEATURE_NAMES)
    expect(model.version).toBe(SHIPPED.version)
    expect(model.threshold).toBeLessThanOrEqual(model.block_threshold)
    expect(JSON.parse(model.metadata.trained_on ?? '')).toMatchObject({ customers: 300 })
    expect(JSON.parse(model.metadata.metrics ?? '').auc).toBeGreaterThan(0.95)
    await model.close()
  })
})
