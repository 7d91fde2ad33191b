import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { CHURN_BOOST, CHURN_FEATURES, churnTable, churnVector, trainChurn } from '../ml/churn.ts'
import { ChurnCsvError, readChurnCsv } from '../ml/churn_csv.ts'
import { SHIPPED_CHURN, simulateChurn } from '../ml/churn_simulator.ts'
import { stratifiedFolds } from '../ml/folds.ts'
import { agreesOn, loadModel, SHIPPED_CHURN_MODEL } from '../ml/model.ts'

const HEADER =
  'RowNumber,CustomerId,Surname,CreditScore,Geography,Gender,Age,Tenure,Balance,' +
  'NumOfProducts,HasCrCard,IsActiveMember,EstimatedSalary,Exited'
const GOOD = '1,9,"Nowak, A.",600,France,Female,42,2,83807.86,1,0,1,112542.58,1'

const read = (lines: readonly string[], most?: number) =>
  readChurnCsv(Readable.from([lines.join('\n')]), most)

describe('what the churn model sees', () => {
  it('is in the order of its features, flags as 0 and 1, NaN where nothing is known', () => {
    const facts = { active: true, age: 40, products: 2, balance: null, credit_card: false }
    expect([...churnVector(facts)]).toEqual([40, Number.NaN, Number.NaN, 2, 0, 1, Number.NaN])
  })
})

describe('a file of churned customers', () => {
  it('is read by the names of its columns, whatever their order', async () => {
    const [row] = await read([HEADER, GOOD])
    expect(row?.churned).toBe(true)
    const wanted = Float32Array.of(42, 2, 83807.86, 1, 0, 1, 112542.58)
    expect(row?.vector).toEqual(wanted)
    const short = 'Exited,Age,Tenure,Balance,NumOfProducts,HasCrCard,IsActiveMember,EstimatedSalary'
    const [other] = await read([`\uFEFF${short}`, '0,42,2,83807.86,1,0,1,112542.58', ''])
    expect(other).toEqual({ vector: wanted, churned: false })
  })

  it('may leave fields empty, but not the outcome', async () => {
    const [row] = await read([HEADER, '1,9,X,600,F,F,,2,,1,0,1,5,0'])
    expect([...(row?.vector ?? [])]).toEqual([Number.NaN, 2, Number.NaN, 1, 0, 1, 5])
    await expect(read([HEADER, '1,9,X,600,F,F,4,2,,1,0,1,5,'])).rejects.toThrow(
      'line 2, column Exited: "" is not 0 or 1',
    )
  })

  it.each([
    [[HEADER, GOOD, GOOD.replace('42', 'old')], 'line 3, column Age: "old" is not a number from 0'],
    [[HEADER, GOOD.replace('83807.86', '-5')], 'line 2, column Balance: "-5" is not a number'],
    [[HEADER, GOOD.replace('83807.86', '1e400')], 'line 2, column Balance'],
    [[HEADER, GOOD.replace(',0,1,', ',0,2,')], 'line 2, column IsActiveMember: "2" is not 0 or 1'],
    [[HEADER, GOOD.replace(/1$/, 'yes')], 'line 2, column Exited: "yes" is not 0 or 1'],
    [[HEADER.replace('Age', 'Years'), GOOD], 'line 1: there is no column Age'],
    [[`${HEADER},Age`, `${GOOD},3`], 'line 1: column Age stands there 2 times'],
    [[HEADER, GOOD, '1,2,3'], 'line 3'],
    [[HEADER, `"${'x'.repeat(20_000)}`], 'tolerated bytes'],
    [[HEADER], 'there are no rows'],
    [[''], 'there are no rows'],
  ])('is refused with line and column: %#', async (lines, message) => {
    const error = await read(lines).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ChurnCsvError)
    expect((error as Error).message).toContain(message)
  })

  it('is read up to a number of rows and no further', async () => {
    expect(await read([HEADER, GOOD, GOOD], 2)).toHaveLength(2)
    await expect(read([HEADER, GOOD, GOOD, GOOD], 2)).rejects.toThrow('more than 2 rows')
    let drawn = 0
    const endless = Readable.from(
      (function* () {
        yield `${HEADER}\n`
        for (; ; drawn += 1) yield `${GOOD}\n`
      })(),
    )
    await expect(readChurnCsv(endless, 100)).rejects.toThrow('more than 100 rows')
    expect(drawn).toBeLessThan(10_000)
    expect(endless.destroyed).toBe(true)
  })

  it('fails as its stream does', async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error('the disk is gone'))
      },
    })
    await expect(readChurnCsv(broken)).rejects.toThrow('the disk is gone')
  })
})

describe('simulated bank customers', () => {
  const rows = simulateChurn({ seed: 4, customers: 20_000, missing: 0 })
  const leaving = (chosen: (value: (feature: string) => number) => boolean): number => {
    const among = rows.filter(({ vector }) =>
      chosen((feature) => vector[CHURN_FEATURES.indexOf(feature as never)] as number),
    )
    return among.filter(({ churned }) => churned).length / among.length
  }

  it('are the same for the same seed, others for another', () => {
    const few = { seed: 4, customers: 50, missing: 0 }
    expect(simulateChurn(few)).toEqual(rows.slice(0, 50))
    expect(simulateChurn({ ...few, seed: 5 })).not.toEqual(rows.slice(0, 50))
  })

  it('leave about one in five, and as banks report it', () => {
    expect(leaving(() => true)).toBeGreaterThan(0.17)
    expect(leaving(() => true)).toBeLessThan(0.24)
    const age = (low: number, high: number) => leaving((of) => of('age') >= low && of('age') < high)
    expect(age(50, 60)).toBeGreaterThan(2.5 * age(18, 32))
    expect(age(50, 60)).toBeGreaterThan(1.3 * age(72, 93))
    const with_ = (feature: string, value: number) => leaving((of) => of(feature) === value)
    expect(with_('active', 0)).toBeGreaterThan(1.5 * with_('active', 1))
    expect(with_('products', 1)).toBeGreaterThan(2 * with_('products', 2))
    expect(with_('products', 3)).toBeGreaterThan(1.5 * with_('products', 1))
    // Among those with one product: two products and an empty account often go together.
    const single = (empty: boolean) =>
      leaving((of) => of('products') === 1 && (of('balance') === 0) === empty)
    expect(single(true)).toBeLessThan(0.85 * single(false))
    expect(Math.abs(with_('credit_card', 0) - with_('credit_card', 1))).toBeLessThan(0.02)
  })

  it('leave out as many fields as they are told to', () => {
    const holes = simulateChurn({ seed: 4, customers: 2_000, missing: 0.1 })
    const missing = holes.flatMap(({ vector }) => [...vector]).filter(Number.isNaN).length
    expect(missing / (2_000 * CHURN_FEATURES.length)).toBeCloseTo(0.1, 1)
  })
})

describe('folds', () => {
  it('are of one size, each with its share of both labels', () => {
    const labels = Uint8Array.from({ length: 1_003 }, (_, row) => (row % 5 === 0 ? 1 : 0))
    const folds = stratifiedFolds(labels, 5, 7)
    for (const label of [0, 1]) {
      const sizes = [0, 1, 2, 3, 4].map(
        (fold) => folds.filter((own, row) => own === fold && labels[row] === label).length,
      )
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }
    expect(stratifiedFolds(labels, 5, 7)).toEqual(folds)
    expect(stratifiedFolds(labels, 5, 8)).not.toEqual(folds)
  })
})

describe('training on churned customers', () => {
  const rows = simulateChurn({ seed: 9, customers: 3_000, missing: 0.05 })
  const settings = {
    version: 'churn-test',
    boost: { ...CHURN_BOOST, trees: 60 },
    folds: 3,
    trained_on: 'a test',
  }
  const stages: string[] = []
  const first = trainChurn(rows, settings, ({ stage }) => stages.push(stage))

  it('reports what it is worth on rows it had not seen, beside the base rate', () => {
    const { report } = first
    expect(report.cross_validated.auc).toBeGreaterThan(0.75)
    expect(report.cross_validated.auc).toBeLessThan(0.85)
    expect(report.cross_validated.average_precision).toBeGreaterThan(2 * report.base_rate)
    expect(report.threshold).toBeGreaterThan(report.base_rate / 2)
    expect(report.at_threshold.f1).toBeGreaterThan(0.45)
    expect(report.at_threshold.accuracy_of_guessing).toBeCloseTo(1 - report.base_rate)
    expect([...new Set(stages)]).toEqual(['folding', 'growing', 'explaining', 'done'])
  })

  it('finds what matters to customers, in shares of one', () => {
    const { importances } = first.report
    const sum = Object.values(importances).reduce((all, part) => all + part, 0)
    expect(sum).toBeCloseTo(1, 10)
    expect(importances.products).toBeGreaterThan(importances.tenure)
    expect(importances.age).toBeGreaterThan(importances.salary)
    expect(importances.active).toBeGreaterThan(importances.credit_card)
  })

  it('gives the same bytes for the same rows and seed', () => {
    expect(Buffer.compare(trainChurn(rows, settings).bytes, first.bytes)).toBe(0)
    const other = { ...settings, boost: { ...settings.boost, seed: 2 } }
    expect(Buffer.compare(trainChurn(rows, other).bytes, first.bytes)).not.toBe(0)
  })

  it('writes into the file where it comes from', async () => {
    const model = await loadModel(first.bytes, CHURN_FEATURES)
    expect(model.version).toBe('churn-test')
    expect(model.metadata).toMatchObject({ rows: '3000', seed: '1', trained_on: '"a test"' })
    expect(model.metadata.data_digest).toMatch(/^[0-9a-f]{64}$/)
    expect(Number(model.metadata.base_rate)).toBe(first.report.base_rate)
    expect(JSON.parse(model.metadata.metrics ?? '').at_threshold.f1).toBe(
      first.report.at_threshold.f1,
    )
    expect(JSON.parse(model.metadata.settings ?? '')).toEqual(settings.boost)
    const { columns } = churnTable(rows)
    const vectors = rows.flatMap(({ vector }) => [...vector])
    expect(columns).toHaveLength(CHURN_FEATURES.length)
    expect(await agreesOn(model, Float32Array.from(vectors))).toMatchObject({ agrees: true })
    await model.close()
  })
})

describe('the shipped churn model', () => {
  it('is what training makes of its simulated customers, byte for byte', async () => {
    const { bytes } = trainChurn(simulateChurn(SHIPPED_CHURN.traffic), SHIPPED_CHURN)
    expect(Buffer.compare(bytes, await readFile(SHIPPED_CHURN_MODEL))).toBe(0)
  }, 120_000)
})
