import { z } from 'zod'
import { type Decision, decider, type EventOf } from './kernel.ts'

const SequenceName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/)

const sequenceEvents = {
  NumbersTaken: z.object({
    sequence: SequenceName,
    first: z.int().min(1),
    count: z.int().min(1).max(100_000),
  }),
} as const

export type SequenceState = { readonly next: number }

/** Each number is given once, in every process and for ever; one that is not used is a gap. */
const take = (
  { next }: SequenceState,
  { sequence, count }: { readonly sequence: string; readonly count: number },
): Decision<EventOf<typeof sequenceEvents>> => [
  { type: 'NumbersTaken', data: { sequence, first: next, count } },
]

/** Whole numbers from 1 on, for ids that people and older products see. */
export const Sequence = decider({
  category: 'sequence',
  schemas: sequenceEvents,
  initial: (): SequenceState => ({ next: 1 }),
  snapshot: {
    version: 1,
    save: (state) => state,
    load: (saved) => saved as SequenceState,
  },
  evolve: {
    NumbersTaken: (_state, { first, count }) => ({ next: first + count }),
  },
  decide: { take },
})
