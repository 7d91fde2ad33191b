import type { Engine } from '../commands/engine.ts'
import type { Decider } from '../domain/kernel.ts'

/** A stream's state, to look at and not to keep. Revision -1: it does not exist. */
export type Glanced<State> = { readonly state: State; readonly revision: number }

export type Glance = <State>(decider: Decider<State>, id: string) => Promise<Glanced<State>>

const FRESH_MS = 1_000
const MOST_REMEMBERED = 1_000

/**
 * Looks at streams that change seldom and are asked for often: what this process wrote is seen at
 * once, what others wrote a second later at most.
 */
export const createGlance = (engine: Pick<Engine, 'look' | 'peek'>): Glance => {
  const looked = new Map<string, number>()
  return async <State>(decider: Decider<State>, id: string) => {
    const stream = `${decider.category}-${id}`
    const known = engine.peek(stream)
    const last = looked.get(stream)
    if (known && last !== undefined && performance.now() - last < FRESH_MS) {
      return known as Glanced<State>
    }
    const found = await engine.look(decider, stream)
    if (looked.size >= MOST_REMEMBERED) looked.clear()
    looked.set(stream, performance.now())
    return found as Glanced<State>
  }
}
