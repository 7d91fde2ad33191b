import { isRefusal } from '../domain/kernel.ts'
import { Sequence, type SequenceState } from '../domain/sequences.ts'
import { createTurns, type InTurn } from '../domain/turns.ts'
import type { Engine } from './engine.ts'
import { newUlid } from './ids.ts'

/** Whole numbers, each given once over all processes and restarts. */
export type Numbers = { next(sequence: SequenceId): Promise<number> }

/**
 * How many numbers a process takes at once. What it has not used when it ends is a gap, so only
 * those that nobody looks at in order are taken by the thousand.
 */
const blocks = {
  customers: 1,
  users: 1,
  accounts: 1,
  alerts: 1,
  conversations: 1,
  messages: 100,
  visits: 1,
  loans: 1,
  payments: 100,
  references: 1000,
  openings: 1,
  closures: 1,
  refunds: 1,
  cash_advances: 1,
  check_deposits: 1,
} as const
export type SequenceId = keyof typeof blocks

type Block = { next: number; end: number }

export const createNumbers = (engine: Engine, clock: () => Date): Numbers => {
  const held = new Map<SequenceId, Block>()
  const turns = new Map<SequenceId, InTurn>()

  const take = async (sequence: SequenceId): Promise<Block> => {
    const count = blocks[sequence]
    const outcome = await engine.submit(Sequence, `${Sequence.category}-${sequence}`, {
      decide: (state) => Sequence.decide.take(state as SequenceState, { sequence, count }),
      expect: 'any',
      otherwise: 'RESOURCE_UNKNOWN',
      revision: undefined,
      metadata: { command: newUlid(), causation: 'sequences.take', actor: 'system', schema: '1' },
      at: clock(),
      dryRun: false,
    })
    const [event] = isRefusal(outcome) ? [] : outcome.events
    if (!event) throw new Error(`no numbers of ${sequence} were given`)
    const { first } = event.data as { first: number }
    return { next: first, end: first + count }
  }
  const give = async (sequence: SequenceId): Promise<number> => {
    let block = held.get(sequence)
    if (!block || block.next === block.end) {
      block = await take(sequence)
      held.set(sequence, block)
    }
    const number = block.next
    block.next += 1
    return number
  }
  return {
    next: (sequence) => {
      // One after another, or two would each take a block and one of them would be lost.
      const inTurn = turns.get(sequence) ?? createTurns()
      turns.set(sequence, inTurn)
      return inTurn(() => give(sequence))
    },
  }
}

const PLACES = 6
const SPACE = 36n ** BigInt(PLACES)
// Odd and no multiple of 3, so without a divisor in common with SPACE: no two numbers meet.
const STRIDE = 1_402_946_137n
const OFFSET = 918_273_645n

/**
 * `TXN-20260210-A1B2C3`: unique within a day for as long as fewer than 36^6 are given in it, and
 * telling nobody how many there were.
 */
export const referenceOf = (number: number, day: string): string => {
  const mixed = (BigInt(number) * STRIDE + OFFSET) % SPACE
  const text = mixed.toString(36).toUpperCase().padStart(PLACES, '0')
  return `TXN-${day.replaceAll('-', '')}-${text}`
}
