/** Numbers in [0, 1) that depend on the seed and nothing else. */
export type Random = () => number

/** Mulberry32 (Tommy Ettinger): 32 bits of state, enough for traffic and column samples. */
export const random = (seed: number): Random => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A source of its own for the nth part of a whole, so that one part's draws do not move another's. */
export const fork = (seed: number, part: number): Random =>
  random(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(part + 1, 0xc2b2ae35))

/** A real number from `least` up to, not including, `below`. */
export const between = (next: Random, least: number, below: number): number =>
  least + next() * (below - least)

/** A whole number from 0 to `bound - 1`. */
export const index = (next: Random, bound: number): number => Math.floor(next() * bound)

export const pick = <Item>(next: Random, items: readonly Item[]): Item => {
  const item = items[index(next, items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** Standard normal, after Box and Muller. */
export const normal = (next: Random): number =>
  Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())

/** How many times something happens that happens `rate` times on average: Poisson, after Knuth. */
export const times = (next: Random, rate: number): number => {
  const floor = Math.exp(-rate)
  let count = 0
  for (let product = next(); product > floor; product *= next()) count += 1
  return count
}
