import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BOOST_DEFAULTS, boost } from '../ml/boosting.ts'
import { between, fork, index, type Random } from '../ml/random.ts'
import { importances, shapley } from '../ml/shapley.ts'
import {
  emptyTree,
  expectation,
  type Forest,
  fillMeans,
  margin,
  type Tree,
  takesYes,
} from '../ml/trees.ts'

const FEATURES = 4

/** A tree of any shape, which may ask for the same feature again and again on one path. */
const anyTree = (next: Random): Tree => {
  const tree = emptyTree(31)
  let nodes = 1
  const grow = (node: number, depth: number): void => {
    if (depth === 4 || (depth > 0 && next() < 0.25)) {
      tree.rows[node] = 1 + index(next, 40)
      tree.value[node] = between(next, -2, 2)
      return
    }
    const [yes, no] = [nodes, nodes + 1]
    nodes += 2
    tree.feature[node] = index(next, FEATURES)
    tree.threshold[node] = between(next, -1, 1)
    tree.missing_yes[node] = index(next, 2)
    tree.yes[node] = yes
    tree.no[node] = no
    grow(yes, depth + 1)
    grow(no, depth + 1)
    tree.rows[node] = (tree.rows[yes] as number) + (tree.rows[no] as number)
  }
  grow(0, 0)
  return fillMeans(tree)
}

const anyRow = (next: Random): Float32Array =>
  Float32Array.from({ length: FEATURES }, () => (next() < 0.25 ? Number.NaN : between(next, -1, 1)))

/** What the forest says when only these features are known. */
const whenKnown = (forest: Forest, row: Float32Array, known: ReadonlySet<number>): number => {
  const below = (tree: Tree, node: number): number => {
    const feature = tree.feature[node] as number
    if (feature < 0) return tree.value[node] as number
    const [yes, no] = [tree.yes[node] as number, tree.no[node] as number]
    if (known.has(feature)) {
      return below(tree, takesYes(tree, node, row[feature] as number) ? yes : no)
    }
    const share = (tree.rows[yes] as number) / (tree.rows[node] as number)
    return share * below(tree, yes) + (1 - share) * below(tree, no)
  }
  return forest.trees.reduce((sum, tree) => sum + below(tree, 0), forest.base)
}

const factorial = (count: number): number => (count < 2 ? 1 : count * factorial(count - 1))

/** Shapley's own definition: over every set of the other features. */
const byDefinition = (forest: Forest, row: Float32Array): number[] =>
  Array.from({ length: FEATURES }, (_, feature) => {
    let sum = 0
    for (let subset = 0; subset < 2 ** FEATURES; subset += 1) {
      if (subset & (1 << feature)) continue
      const known = new Set([0, 1, 2, 3].filter((other) => subset & (1 << other)))
      const before = whenKnown(forest, row, known)
      const after = whenKnown(forest, row, new Set([...known, feature]))
      const orders = factorial(known.size) * factorial(FEATURES - known.size - 1)
      sum += (orders / factorial(FEATURES)) * (after - before)
    }
    return sum
  })

const anything = fc.integer().map((seed) => {
  const next = fork(seed, 0)
  const trees = Array.from({ length: 1 + index(next, 3) }, () => anyTree(next))
  return { forest: { base: between(next, -2, 2), trees }, row: anyRow(next) }
})

describe('Shapley values', () => {
  it('are those of the definition, missing values and repeated questions included', () => {
    fc.assert(
      fc.property(anything, ({ forest, row }) => {
        const wanted = byDefinition(forest, row)
        shapley(forest, row).forEach((value, feature) => {
          expect(value).toBeCloseTo(wanted[feature] as number, 8)
        })
      }),
      { numRuns: 300 },
    )
  })

  it('add up to the margin less what is expected of nobody in particular', () => {
    fc.assert(
      fc.property(anything, ({ forest, row }) => {
        const sum = shapley(forest, row).reduce((all, value) => all + value, 0)
        expect(Math.abs(expectation(forest) + sum - margin(forest, row))).toBeLessThan(1e-4)
      }),
    )
  })

  const next = fork(4, 4)
  const columns = [0, 1, 2].map(() =>
    Float32Array.from({ length: 3_000 }, () => (next() < 0.1 ? Number.NaN : next())),
  )
  const [first, second] = columns as [Float32Array, Float32Array]
  const labels = first.map((value, row) =>
    (value > 0.6 ? 1 : 0) + ((second[row] as number) > 0.8 ? 1 : 0) + next() > 1.2 ? 1 : 0,
  )
  const forest = boost(columns, Uint8Array.from(labels), { ...BOOST_DEFAULTS, trees: 80 })

  it('add up on a grown, calibrated forest within 1e-4', () => {
    for (let row = 0; row < 200; row += 1) {
      const vector = Float32Array.from(columns, (column) => column[row] as number)
      const sum = shapley(forest, vector).reduce((all, value) => all + value, 0)
      expect(Math.abs(expectation(forest) + sum - margin(forest, vector))).toBeLessThan(1e-4)
    }
  })

  it('give importances that add up to one, the noise last', () => {
    const found = importances(forest, columns)
    expect(found.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1, 10)
    expect(found[0]).toBeGreaterThan(found[1] as number)
    expect(found[1]).toBeGreaterThan(3 * (found[2] as number))
    expect(importances(forest, columns)).toEqual(found)
  })

  it('give no importance to anything when the forest says the same of everybody', () => {
    expect([...importances({ base: 1, trees: [] }, columns)]).toEqual([0, 0, 0])
  })
})
