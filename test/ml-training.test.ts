import { describe, expect, it } from 'vitest'
import { binned, MISSING_BIN } from '../ml/bins.ts'
import { boost } from '../ml/boosting.ts'
import { metrics } from '../ml/metrics.ts'
import { fork } from '../ml/random.ts'
import { contributions, expectation, type Forest, margin, sigmoid, type Tree } from '../ml/trees.ts'

const settings = {
  seed: 1,
  trees: 40,
  depth: 3,
  shrinkage: 0.3,
  l2: 1,
  least_rows: 5,
  columns: 1,
}

/** y is 1 where the first feature is missing, or where both others lie on the same side. */
const puzzle = (rows: number, seed: number) => {
  const next = fork(seed, 0)
  const columns = [0, 1, 2].map(() => Float32Array.from({ length: rows }, () => next() * 2 - 1))
  const [first, second, third] = columns as [Float32Array, Float32Array, Float32Array]
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    if (next() < 0.1) first[row] = Number.NaN
    const same = (second[row] as number) > 0.2 === (third[row] as number) > -0.3
    return Number.isNaN(first[row]) || same ? 1 : 0
  })
  return { columns, labels }
}

const depthOf = (tree: Tree, node = 0): number =>
  (tree.feature[node] as number) < 0
    ? 0
    : 1 + Math.max(depthOf(tree, tree.yes[node] as number), depthOf(tree, tree.no[node] as number))

const scores = (forest: Forest, columns: readonly Float32Array[]): Float32Array =>
  (columns[0] as Float32Array).map((_, row) =>
    sigmoid(
      margin(
        forest,
        Float32Array.from(columns, (column) => column[row] as number),
      ),
    ),
  )

describe('bins', () => {
  it('keep distinct values apart while they are few', () => {
    const { cuts, bins } = binned(Float32Array.from([3, 1, Number.NaN, 2, 1]))
    expect([...cuts]).toEqual([1.5, 2.5])
    expect([...bins]).toEqual([2, 0, MISSING_BIN, 1, 0])
  })

  it('are at most 254 of about equal size otherwise, and agree with their cuts', () => {
    const next = fork(5, 5)
    const column = Float32Array.from({ length: 20_000 }, () => Math.exp(4 * next()))
    const { cuts, bins } = binned(column)
    expect(cuts.length).toBeGreaterThan(240)
    expect(cuts.length).toBeLessThan(254)
    const sizes = new Map<number, number>()
    bins.forEach((bin, row) => {
      sizes.set(bin, (sizes.get(bin) ?? 0) + 1)
      const value = column[row] as number
      if (bin < cuts.length) expect(value).toBeLessThanOrEqual(cuts[bin] as number)
      if (bin > 0) expect(value).toBeGreaterThan(cuts[bin - 1] as number)
    })
    expect(Math.max(...sizes.values())).toBeLessThan(120)
  })

  it('put a cut strictly below the higher neighbour even where float32 has nothing between', () => {
    // The middle of the second two would be rounded up, to the higher one.
    for (const low of [1, 1 + 2 ** -23]) {
      const { cuts, bins } = binned(Float32Array.from([low, low + 2 ** -23]))
      expect(cuts[0]).toBe(low)
      expect([...bins]).toEqual([0, 1])
    }
  })
})

describe('boosted trees', () => {
  it('learn an interaction and the meaning of a missing value', () => {
    const { columns, labels } = puzzle(4_000, 1)
    const forest = boost(columns, labels, settings)
    const other = puzzle(2_000, 2)
    expect(metrics(scores(forest, other.columns), other.labels).auc).toBeGreaterThan(0.99)
  })

  it('are the same for the same seed, others for another when columns are sampled', () => {
    const { columns, labels } = puzzle(1_000, 1)
    const sampled = { ...settings, columns: 0.5 }
    const forest = boost(columns, labels, sampled)
    expect(boost(columns, labels, sampled)).toEqual(forest)
    expect(boost(columns, labels, { ...sampled, seed: 2 })).not.toEqual(forest)
  })

  it('keep within depth, number of leaves and size of leaves', () => {
    const { columns, labels } = puzzle(2_000, 1)
    const forest = boost(columns, labels, { ...settings, depth: 3, leaves: 6, least_rows: 50 })
    const shapes = forest.trees.map((tree) => ({ depth: depthOf(tree), nodes: tree.rows.length }))
    expect(Math.max(...shapes.map(({ depth }) => depth))).toBe(3)
    expect(Math.max(...shapes.map(({ nodes }) => nodes))).toBe(11)
    for (const tree of forest.trees) expect(Math.min(...tree.rows)).toBeGreaterThanOrEqual(50)
  })

  it('grow where there is most to gain, not evenly', () => {
    const next = fork(14, 0)
    const columns = [Float32Array.from({ length: 4_000 }, (_, row) => row)]
    // A little noise below 2,500; above it every 500 rows are of the other label.
    const labels = Uint8Array.from({ length: 4_000 }, (_, row) =>
      row < 2_500 ? Number(next() < 0.05) : Math.floor(row / 500) % 2,
    )
    const [tree] = boost(columns, labels, { ...settings, trees: 1, depth: 8, leaves: 4 }).trees
    const { feature, threshold } = tree as Tree
    const cuts = [...threshold.filter((_, node) => feature[node] === 0)].sort((a, b) => a - b)
    for (const [place, cut] of [2_500, 3_000, 3_500].entries()) {
      expect(Math.abs((cuts[place] as number) - cut)).toBeLessThan(20)
    }
  })

  it('learn from a feature of which nothing is known but whether it is there', () => {
    const next = fork(12, 0)
    const labels = Uint8Array.from({ length: 1_000 }, () => (next() < 0.3 ? 1 : 0))
    const column = Float32Array.from(labels, (label) => (label === 1 ? Number.NaN : 7))
    expect(metrics(scores(boost([column], labels, settings), [column]), labels).auc).toBe(1)
  })

  it('explain a margin as the mean margin plus contributions', () => {
    const { columns, labels } = puzzle(1_000, 3)
    const forest = boost(columns, labels, settings)
    const nobody = expectation(forest)
    for (let row = 0; row < 100; row += 1) {
      const vector = Float32Array.from(columns, (column) => column[row] as number)
      const moved = contributions(forest, vector).reduce((sum, part) => sum + part, 0)
      expect(nobody + moved).toBeCloseTo(margin(forest, vector), 3)
    }
  })

  it('refuse rows that are all alike, labels that are none, and shares that are none', () => {
    const column = [Float32Array.of(1, 2)]
    expect(() => boost(column, Uint8Array.of(0, 0), settings)).toThrow('both labels')
    expect(() => boost(column, Uint8Array.of(0, 2), settings)).toThrow('neither 0 nor 1')
    expect(() => boost(column, Uint8Array.of(0, 1, 1), settings)).toThrow('per label')
    const none = { ...settings, negatives: 0 }
    expect(() => boost(column, Uint8Array.of(0, 1), none)).toThrow('negatives')
  })
})
