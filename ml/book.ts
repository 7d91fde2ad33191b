import { thresholdsOf } from '../domain/judgement.ts'
import { decode } from '../domain/kernel.ts'
import type { EventStore, Recorded } from '../domain/log.ts'
import type { TransactionScored } from '../domain/risk.ts'
import { riskEvents } from '../domain/risk.ts'
import { countRecent, judgeNext, noneRecent, type Recent } from './brake.ts'
import { features, REDUCER_VERSION, saveFeatures } from './features.ts'
import {
  BOOK_PREFIX,
  type Followed,
  follow,
  fromBeginning,
  fromSaved,
  readableMovementsIn,
  type SavedBook,
  type Snapshots,
} from './following.ts'
import type { Movement } from './movements.ts'
import type { Governing, Panel, Pending } from './scoring.ts'
import { endToEnd, namedFeatures, scoreBy, scoreEvent, scoresOf } from './scoring.ts'

/** What scoring a book needs from outside. */
export type Desk = {
  readonly store: EventStore
  /** Work with the models that answer and watch now. */
  readonly withPanel: <Result>(work: (panel: Panel) => Promise<Result>) => Promise<Result>
  readonly policyOf: (book: string) => Promise<Governing>
  readonly snapshots: Snapshots
  readonly clock: () => Date
  readonly log: { readonly warn: (facts: object, message: string) => void }
}

/** Another scorer was faster: what is in memory no longer follows the scores stream. */
export class Overtaken extends Error {}

/** How far one book has come. Memory may be ahead of the log by `pending` only. */
export type Book = Followed & {
  readonly id: string
  /** The last score when the book was taken up: nothing up to it is scored again. */
  readonly resumed: Pick<TransactionScored, 'revision' | 'entry'> | undefined
  /** The last revision of the scores stream; -1: there is none. */
  scores: number
  pending: Pending[]
  /** For the brake; undefined until the book's policy has one. */
  recent: Recent | undefined
  /** Movements applied since the features were saved. */
  unsaved: number
}

const APPEND_LIMIT = 200
const SNAPSHOT_EVERY = 5_000

/** The movements of an event that have no score yet. */
const unscored = (book: Book, event: Recorded, movements: Movement[]): Set<Movement> => {
  const leaving = movements.filter(({ scored }) => scored)
  const { resumed } = book
  if (!resumed || event.revision > resumed.revision) return new Set(leaving)
  if (leaving.length === 0 || event.revision < resumed.revision) return new Set()
  const last = leaving.findIndex(({ entry }) => entry === resumed.entry)
  if (last < 0) {
    throw new Error(`${scoresOf(book.id)} names ${resumed.entry}, which is not in ${event.id}`)
  }
  return new Set(leaving.slice(last + 1))
}

const MOST_RECENT = 10_000

/** Counts anew what the last scores of the book say. One that cannot be read does not count. */
const recount = async ({ store }: Desk, id: string): Promise<Recent> => {
  const recent = noneRecent()
  const last = { direction: 'backwards', limit: MOST_RECENT } as const
  for await (const event of store.readStream(scoresOf(id), last)) {
    const { data } = riskEvents.TransactionScored.safeParse(event.data)
    if (data) countRecent(recent, data.booked_at, (data.wanted ?? data.decision) === 'block')
  }
  return recent
}

/** The events of what is pending, by what the models and the book's policy say of it. */
const judgeAll = async (desk: Desk, book: Book, panel: Panel, governing: Governing) => {
  const { policy, revision } = governing
  const { pending, recent } = book
  const { champion: model } = panel
  const scores = await scoreBy(panel, endToEnd(pending))
  const thresholds = thresholdsOf(policy, model)
  const at = desk.clock().toISOString()
  return pending.map((one, row) => {
    const { movement, vector } = one
    const probability = scores.champion[row] as number
    const judged = { ...movement, features: namedFeatures(vector), probability, at }
    const judgement = judgeNext(recent, policy, judged, thresholds)
    const challengers = scores.challengers.map(({ model: version, found }) => ({
      ...{ model: version, probability: found[row] as number },
    }))
    return scoreEvent(one, { model, probability, challengers, judgement, revision }, at)
  })
}

/** Scores what is pending and makes it durable. Throws Overtaken when another scorer wrote. */
export const flush = async (desk: Desk, book: Book): Promise<void> => {
  if (book.pending.length === 0) return
  const governing = await desk.policyOf(book.id)
  if (governing.policy.brake) book.recent ??= await recount(desk, book.id)
  else book.recent = undefined
  const events = await desk.withPanel((panel) => judgeAll(desk, book, panel, governing))
  const result = await desk.store.append(scoresOf(book.id), book.scores, events)
  if (result.outcome === 'conflict') throw new Overtaken(`${scoresOf(book.id)} has moved on`)
  book.scores += events.length
  if (result.revision !== book.scores) {
    throw new Error(`${scoresOf(book.id)} stands at ${result.revision}, not at ${book.scores}`)
  }
  book.pending = []
}

/** A snapshot that cannot be saved costs time later and nothing else. */
export const save = async (desk: Desk, book: Book): Promise<void> => {
  const { scores, hearing } = book
  const features = saveFeatures(book.features)
  const saved: SavedBook = { scores, labels: hearing.next, features }
  try {
    await desk.snapshots.save(scoresOf(book.id), REDUCER_VERSION, book.next - 1, saved)
    book.unsaved = 0
  } catch (error) {
    desk.log.warn({ error, book: book.id }, 'the feature state was not saved')
  }
}

/** Takes the book one event further; what of it is to be scored is scored before it counts. */
export const apply = async (
  desk: Desk,
  book: Book,
  event: Recorded,
  movements: Movement[],
): Promise<void> => {
  const wanted = unscored(book, event, movements)
  const moving = follow(desk.store, book.id, book, event, movements)
  for await (const { movement, observation } of moving) {
    if (!wanted.has(movement)) continue
    book.pending.push({ event, movement, vector: features(book.features, observation) })
    if (book.pending.length >= APPEND_LIMIT) await flush(desk, book)
  }
  book.unsaved += movements.length
  if (book.unsaved < SNAPSHOT_EVERY) return
  await flush(desk, book)
  await save(desk, book)
}

/** Reads from the log what lies between the last event and this revision. */
export const catchUp = async (desk: Desk, book: Book, revision: number): Promise<void> => {
  const missing = { from: book.next, limit: revision - book.next }
  for await (const event of desk.store.readStream(BOOK_PREFIX + book.id, missing)) {
    if (event.revision !== book.next) break
    const movements = readableMovementsIn(event, ({ message }) => {
      const { stream, revision } = event
      desk.log.warn({ stream, revision, error: message }, 'an event cannot be scored')
    })
    await apply(desk, book, event, movements)
  }
  if (book.next === revision) return
  throw new Error(`${BOOK_PREFIX}${book.id} cannot be read at ${book.next}, before ${revision}`)
}

/** Takes a book up where its last score, wherever it was made, and its last snapshot left it. */
export const recall = async (desk: Desk, id: string): Promise<Book> => {
  let last: Recorded | undefined
  const backwards = { direction: 'backwards', limit: 1 } as const
  for await (const event of desk.store.readStream(scoresOf(id), backwards)) last = event
  const score = last && (decode(riskEvents, last).data as TransactionScored)
  const begun = { pending: [], recent: undefined, unsaved: 0 }
  const book = { id, resumed: score, scores: last?.revision ?? -1, ...begun }
  const snapshot = await desk.snapshots.load(scoresOf(id), REDUCER_VERSION)
  if (snapshot) {
    const saved = snapshot.saved as SavedBook
    // A snapshot that knows of more scores than there are belongs to another log.
    const followed = saved.scores <= book.scores && fromSaved(saved, snapshot.revision)
    if (followed) return { ...book, ...followed }
    desk.log.warn({ book: id }, 'the saved feature state does not fit and is made anew')
  }
  return { ...book, ...fromBeginning() }
}
