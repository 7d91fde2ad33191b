import { uuidv5 } from '../domain/ids.ts'
import { type Decoded, decode } from '../domain/kernel.ts'
import { ledgerEvents } from '../domain/ledger/events.ts'
import type { NewEvent, Recorded } from '../domain/log.ts'
import type { TransactionScored } from '../domain/risk.ts'
import { movementFrom } from '../ml/dataset.ts'
import { apply, features, initialFeatures, type Observation } from '../ml/features.ts'
import type { Snapshots } from '../ml/following.ts'
import { movementsOf, observationOf } from '../ml/movements.ts'
import { namedFeatures } from '../ml/scoring.ts'
import { SIMULATED_ASSET, type SimulatedPosting, simulate } from '../ml/simulator.ts'

export const postings = [
  ...simulate({
    seed: 21,
    customers: 60,
    from: new Date('2026-01-01'),
    days: 16,
    fraud: { attacks: 5, mules: 4 },
  }).postings,
]

export const entryOf = (posting: SimulatedPosting, id: string) => {
  const side = { amount: posting.amount.toString(), asset: SIMULATED_ASSET, balance: '0' }
  return {
    id,
    kind: posting.kind,
    lines: [
      { ...side, account: posting.from, direction: 'debit' },
      { ...side, account: posting.to, direction: 'credit' },
    ],
    booked_at: posting.at.toISOString(),
    value_date: posting.at.toISOString().slice(0, 10),
    description: posting.description,
  }
}

/** Every third run of postings is one batch of 7; a frozen account stands between some. */
export const bookEvents = (book: string): NewEvent[] => {
  const events: NewEvent[] = []
  const add = (type: string, data: object) =>
    events.push({
      id: uuidv5(`${book} ${events.length}`),
      type,
      data,
      metadata: { correlation: `c${events.length}` },
    })
  for (let place = 0; place < postings.length; ) {
    const size = events.length % 3 === 2 ? 7 : 1
    const entries = postings
      .slice(place, place + size)
      .map((posting, index) => entryOf(posting, `e${place + index}`))
    if (size > 1) add('EntriesPosted', { entries })
    else add('EntryPosted', { entry: entries[0] })
    if (events.length % 10 === 0)
      add('AccountFrozen', { account: 'customers:1001:savings', reason: 'x' })
    place += size
  }
  return events
}

export const memory = (): Snapshots & {
  readonly saved: Map<string, { revision: number; text: string }>
} => {
  const saved = new Map<string, { revision: number; text: string }>()
  return {
    saved,
    load: async (stream) => {
      const found = saved.get(stream)
      return found && { revision: found.revision, saved: JSON.parse(found.text) }
    },
    save: async (stream, _version, revision, state) => {
      saved.set(stream, { revision, text: JSON.stringify(state) })
    },
  }
}

/** What one uninterrupted pass over the book's events must have scored. */
export const expected = (recorded: readonly Recorded[]) => {
  const state = initialFeatures()
  const found: Pick<TransactionScored, 'revision' | 'entry' | 'features'>[] = []
  for (const event of recorded) {
    for (const movement of movementsOf(decode(ledgerEvents, event) as Decoded)) {
      const observation = observationOf(movement)
      const vector = features(state, observation)
      apply(state, observation)
      if (!movement.scored) continue
      const { revision, entry } = movement
      found.push({ revision, entry, features: namedFeatures(vector) })
    }
  }
  return found
}

export const batches = (recorded: readonly Recorded[], size: number): Recorded[][] =>
  Array.from({ length: Math.ceil(recorded.length / size) }, (_, number) =>
    recorded.slice(number * size, (number + 1) * size),
  )

/** A payment of 10 by card at the first instant of 1970, but for what is said otherwise. */
export const observation = (changes: Partial<Observation> = {}): Observation => ({
  entry: 'e1',
  customer: 'customers:1:checking',
  payee: 'clearing:cards',
  amount: 10,
  at_ms: 0,
  kind: 'card',
  ...changes,
})

/** A vector by the names of its features, without those that have no value. */
export const seen = (vector: Float32Array): Record<string, number> => namedFeatures(vector)

export const smallSimulation = simulate({
  seed: 3,
  customers: 40,
  from: new Date('2026-01-01'),
  days: 20,
  fraud: { attacks: 12, mules: 4 },
})

/** Simulated traffic as the features see it. */
export const traffic = (): Observation[] =>
  Array.from(smallSimulation.postings, (posting, revision) =>
    observationOf(movementFrom(posting, revision)),
  )
