import type { Decider } from '../domain/kernel.ts'
import type { Engine } from './engine.ts'

/** What it takes to look at streams. */
export type Looking = { readonly engine: Pick<Engine, 'look'> }

/**
 * The newest state of a stream of the decider's, to look at and not to keep; where there is none,
 * what one begins with.
 */
export const lookAt = async <One extends Decider>(
  { engine }: Looking,
  decider: One,
  id: string,
): Promise<ReturnType<One['initial']>> =>
  (await engine.look(decider, `${decider.category}-${id}`)).state as ReturnType<One['initial']>
