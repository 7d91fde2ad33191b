import { judge, thresholdsOf } from '../domain/judgement.ts'
import type { Decoded } from '../domain/kernel.ts'
import { decode, PoisonedEvent } from '../domain/kernel.ts'
import { ledgerEvents } from '../domain/ledger/events.ts'
import type { EventStore, Recorded } from '../domain/log.ts'
import type { TransactionScored } from '../domain/risk.ts'
import { riskEvents } from '../domain/risk.ts'
import { countRecent, noneRecent, type Recent, tallyOf } from './brake.ts'
import type { FeatureState, SavedFeatures } from './features.ts'
import {
  applyLabel,
  apply as applyMovement,
  FEATURE_NAMES,
  features,
  initialFeatures,
  loadFeatures,
  REDUCER_VERSION,
  saveFeatures,
} from './features.ts'
import type { Hearing } from './labels.ts'
import { hearBefore } from './labels.ts'
import type { Movement } from './movements.ts'
import { movementsOf, observationOf } from './movements.ts'
import type { Governing, Panel, Pending } from './scoring.ts'
import { namedFeatures, scoreBy, scoreEvent, scoresOf } from './scoring.ts'

/** Feature states by scores stream: a cache, any of them may be gone. */
export type Snapshots = {
  load(stream: string, version: number): Promise<{ revision: number; saved: unknown } | undefined>
  save(stream: string, version: number, revision: number, saved: unknown): Promise<void>
}

/** What of a book a snapshot keeps. */
export type SavedBook = {
  readonly scores: number
  readonly labels: number
  readonly features: SavedFeatures
}

/** What scoring a book needs from outside. */
export type Desk = {
  readonly store: EventStore
  /** Work with the models that answer and watch now. */
  readonly withPanel: <Result>(work: (panel: Panel) => Promise<Result>) => Promise<Result>
  readonly policyOf: (book: string) => Promise<Governing>
  /** From which probability a movement is reviewed, where neither policy nor model shall say. */
  readonly alertThreshold?: number | undefined
  readonly snapshots: Snapshots
  readonly clock: () => Date
  readonly log: { readonly warn: (facts: object, message: string) => void }
}

/** Another scorer was faster: what is in memory no longer follows the scores stream. */
export class Overtaken extends Error {}

/** How far one book has come. Memory may be ahead of the log by `pending` only. */
export type Book = {
  readonly id: string
  readonly features: FeatureState
  readonly hearing: Hearing
  /** The last score when the book was taken up: nothing up to it is scored again. */
  readonly resumed: Pick<TransactionScored, 'revision' | 'entry'> | undefined
  /** The book revision to apply next. */
  next: number
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
export const BOOK_PREFIX = 'book-'

/** The movements of an event that have no score yet. */
const unscored = (book: Book, event: Recorded, movements: Movement[]): Set<Movement> => {
  const leaving = movements.filter(({ scored }) => scored)
  const { resumed } = book
  if (!resumed || event.revision > resumed.revision) return new Set(leaving)
  if (event.revision < resumed.revision) return new Set()
  const last = leaving.findIndex(({ entry }) => entry === resumed.entry)
  if (last < 0) {
    throw new Error(`${scoresOf(book.id)} names ${resumed.entry}, which is not in ${event.id}`)
  }
  return new Set(leaving.slice(last + 1))
}

const MOST_RECENT = 10_000

/** Counts anew what the last scores of the book say, as far back as any window reaches. */
const recount = async ({ store }: Desk, id: string): Promise<Recent> => {
  const recent = noneRecent()
  const last = { direction: 'backwards', limit: MOST_RECENT } as const
  for await (const event of store.readStream(scoresOf(id), last)) {
    const { booked_at, decision, wanted } = decode(riskEvents, event).data as TransactionScored
    countRecent(recent, booked_at, (wanted ?? decision) === 'block')
  }
  return recent
}

const NO_TALLY = { movements: 0, wanted_blocked: 0 }

/** The events of what is pending, by what the models and the book's policy say of it. */
const judgeAll = async (desk: Desk, book: Book, panel: Panel, governing: Governing) => {
  const { policy, revision } = governing
  const { pending, recent } = book
  const { champion: model } = panel
  const { alertThreshold } = desk
  const vectors = new Float32Array(pending.length * FEATURE_NAMES.length)
  pending.forEach(({ vector }, row) => {
    vectors.set(vector, row * FEATURE_NAMES.length)
  })
  const scores = await scoreBy(panel, vectors)
  const threshold = alertThreshold ?? model.threshold
  const { block_threshold } = model
  const thresholds = thresholdsOf(policy, { threshold, block_threshold })
  const at = desk.clock().toISOString()
  return pending.map((one, row) => {
    const { movement, vector } = one
    const probability = scores.champion[row] as number
    const judged = { ...movement, features: namedFeatures(vector), probability, at }
    const { brake } = policy
    const { booked_at } = movement
    const tally = brake && recent ? tallyOf(recent, booked_at, brake.window_minutes) : NO_TALLY
    const judgement = judge(policy, judged, thresholds, tally)
    if (recent) countRecent(recent, booked_at, judgement.wanted === 'block')
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

/** Scores what is wanted of an event's movements, each before it is applied. */
const move = async (
  desk: Desk,
  book: Book,
  event: Recorded,
  movements: Movement[],
): Promise<void> => {
  const wanted = unscored(book, event, movements)
  await hearBefore(desk.store, book.id, book.hearing, event, (label) =>
    applyLabel(book.features, label),
  )
  for (const movement of movements) {
    const observation = observationOf(movement)
    if (wanted.has(movement)) {
      book.pending.push({ event, movement, vector: features(book.features, observation) })
    }
    applyMovement(book.features, observation)
    if (book.pending.length >= APPEND_LIMIT) await flush(desk, book)
  }
  book.unsaved += movements.length
}

/**
 * Takes the book one event further. Throws PoisonedEvent before it has changed anything. Labels
 * count from where they lie in the log, so that a replay sees what was seen.
 */
export const apply = async (desk: Desk, book: Book, event: Recorded): Promise<void> => {
  // Only postings move money; the others need no schema to be passed over.
  if (event.type === 'EntryPosted' || event.type === 'EntriesPosted') {
    await move(desk, book, event, movementsOf(decode(ledgerEvents, event) as Decoded))
  }
  book.next = event.revision + 1
  if (book.unsaved < SNAPSHOT_EVERY) return
  await flush(desk, book)
  await save(desk, book)
}

/** What is bad in the log itself stays so: whoever waited for it would wait for ever. */
const applyOrPass = async (desk: Desk, book: Book, event: Recorded): Promise<void> => {
  try {
    await apply(desk, book, event)
  } catch (error) {
    if (!(error instanceof PoisonedEvent)) throw error
    const { stream, revision } = event
    desk.log.warn({ stream, revision, error: error.message }, 'an event cannot be scored')
    book.next = revision + 1
  }
}

/** Reads from the log what lies between the last event and this revision. */
export const catchUp = async (desk: Desk, book: Book, revision: number): Promise<void> => {
  const missing = { from: book.next, limit: revision - book.next }
  for await (const event of desk.store.readStream(BOOK_PREFIX + book.id, missing)) {
    if (event.revision !== book.next) break
    await applyOrPass(desk, book, event)
  }
  if (book.next === revision) return
  throw new Error(`${BOOK_PREFIX}${book.id} cannot be read at ${book.next}, before ${revision}`)
}

const hearingFrom = (next: number): Hearing => ({ next, waiting: [], complete: false })

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
    const { scores, labels, features: saved } = snapshot.saved as SavedBook
    // A snapshot that knows of more scores than there are belongs to another log.
    const state = scores <= book.scores ? loadFeatures(saved) : undefined
    const next = snapshot.revision + 1
    if (state) return { ...book, features: state, hearing: hearingFrom(labels), next }
    desk.log.warn({ book: id }, 'the saved feature state does not fit and is made anew')
  }
  return { ...book, features: initialFeatures(), hearing: hearingFrom(0), next: 0 }
}
