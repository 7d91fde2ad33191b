import { beforeAll, describe, expect, it } from 'vitest'
import { uuidv5 } from '../domain/ids.ts'
import { thresholdsOf } from '../domain/judgement.ts'
import type { EventStore, NewEvent } from '../domain/log.ts'
import { initialPolicy, type Policy } from '../domain/policies.ts'
import type { TransactionScored } from '../domain/risk.ts'
import { askCounterfactual, inWords } from '../ml/counterfactual.ts'
import type { Model } from '../ml/model.ts'
import { replayBook } from '../ml/replay.ts'
import { namedFeatures } from '../ml/scoring.ts'
import { bookEvents } from './ml-support.ts'
import { useScoring } from './scoring-support.ts'

const { get, collect, newBook, newScorer, scoresOf } = useScoring()
const never = new AbortController().signal
const EVER = { from: '2000-01-01T00:00:00.000Z', until: '2100-01-01T00:00:00.000Z' }
let model: Model

beforeAll(() => {
  ;({ model } = get())
})

const labelOf = ({
  book,
  entry,
  account,
  counterparty,
  amount,
  asset,
  booked_at,
}: TransactionScored) => ({
  id: uuidv5(`label ${book} ${entry}`),
  type: 'TransactionLabelled',
  data: {
    ...{ book, entry, account, counterparty, amount, asset, booked_at, fraud: true },
    ...{ source: 'chargeback', note: '', labelled_at: '2026-01-07T00:00:00.000Z' },
  },
  metadata: {},
})

/** A book that was written and scored in two parts, with labels recorded between the two. */
const judgedBook = async () => {
  const half = Math.floor(bookEvents('any').length / 2)
  const { book, recorded } = await newBook((name) => bookEvents(name).slice(0, half))
  await newScorer().handle(recorded)
  const labelled = (await scoresOf(book)).filter((_score, place) => place % 40 === 0)
  await get().store.append(`labels-${book}`, -1, labelled.map(labelOf))
  for (let place = half; place < bookEvents(book).length; place += 200) {
    const more = bookEvents(book).slice(place, place + 200)
    await get().store.append(`book-${book}`, place - 1, more)
  }
  await newScorer().handle((await collect(`book-${book}`)).slice(half))
  return { book, labelled, scores: await scoresOf(book) }
}

const ask = (book: string, policy: Policy = initialPolicy(), changes: object = {}) =>
  askCounterfactual({
    ...{ store: get().store, book, ...EVER, matured_until: EVER.until, model, policy },
    ...{ thresholds: thresholdsOf(policy, model), signal: never, ...changes },
  })

const decided = (scores: readonly TransactionScored[], review_from: number, block_from: number) =>
  scores.map((score) => {
    if (score.probability < review_from) return { ...score, would: 'approve' }
    return { ...score, would: score.probability < block_from ? 'review' : 'block' }
  })

describe('a replay of a book', () => {
  it('gives every movement that was scored, with the vector that the scorer saw', async () => {
    const { book, scores } = await judgedBook()
    const seen: object[] = []
    for await (const { movement, vector } of replayBook({
      store: get().store,
      book,
      signal: never,
    })) {
      seen.push({ entry: movement.entry, features: namedFeatures(vector) })
    }
    expect(seen).toEqual(scores.map(({ entry, features }) => ({ entry, features })))
    // Or the labels would not have been heard at all.
    expect(scores.filter(({ features }) => features.payee_frauds_30d)).not.toEqual([])
  })

  it('tells how far it is, and ends when it is told to', async () => {
    const { book } = await judgedBook()
    const stopping = new AbortController()
    const told: number[] = []
    const walk = replayBook({
      ...{ store: get().store, book, signal: stopping.signal },
      onProgress: (revision) => told.push(revision),
    })
    await walk.next()
    expect(told).toEqual([0])
    stopping.abort(new Error('enough'))
    // What is left of the event in hand may come still.
    const goOn = async (): Promise<void> => {
      while (!(await walk.next()).done);
    }
    await expect(goOn()).rejects.toThrow('enough')
  })
})

describe('a replay beside what goes on', () => {
  const entriesIn = async (book: string, store: EventStore = get().store) => {
    const seen: string[] = []
    for await (const { movement } of replayBook({ store, book, signal: never })) {
      seen.push(movement.entry)
    }
    return seen
  }

  it('ends where the book ended when it began', async () => {
    const { book, recorded } = await newBook()
    const before = await entriesIn(book)
    const [last] = recorded.filter(({ data }) =>
      JSON.stringify(data).includes(`"${before.at(-1)}"`),
    )
    if (!last) throw new Error('nothing was scored')
    const again = { ...bookEvents(book)[last.revision], id: uuidv5(`again ${book}`) } as NewEvent
    const { store } = get()
    const lively: EventStore = {
      ...store,
      readStream: async function* (stream, options) {
        const begins = options?.direction !== 'backwards' && stream === `book-${book}`
        if (begins) await store.append(stream, recorded.length - 1, [again])
        yield* store.readStream(stream, options)
      },
    }
    expect(await entriesIn(book, lively)).toEqual(before)
    expect((await entriesIn(book)).length).toBeGreaterThan(before.length)
  })

  it('passes over what cannot be read, as the scorer does', async () => {
    const { book, recorded } = await newBook((name) => {
      const events = bookEvents(name)
      const bad = { id: uuidv5(`bad ${name}`), type: 'EntryPosted', data: {}, metadata: {} }
      return [...events.slice(0, 50), bad, ...events.slice(50)]
    })
    const scorer = newScorer()
    await scorer.handle(recorded.slice(0, 50))
    await scorer.handle(recorded.slice(51))
    expect(await entriesIn(book)).toEqual((await scoresOf(book)).map(({ entry }) => entry))
  })
})

describe('a counterfactual', () => {
  it('with the same model and policy changes nothing', async () => {
    const { book, scores, labelled } = await judgedBook()
    const answer = await ask(book)
    expect(answer).toMatchObject({ movements: scores.length, frauds: labelled.length, changes: [] })
    expect(answer.would).toEqual(answer.was)
    expect(inWords(answer)).toBe(
      `+0 alerts, +0 caught, +0 declined, over ${scores.length} movements with ` +
        `${labelled.length} known frauds.`,
    )
  })

  it('with other thresholds says what would have been caught and declined', async () => {
    const { book, scores, labelled } = await judgedBook()
    const frauds = new Set(labelled.map(({ entry }) => entry))
    const [review_from, block_from] = [0.0005, 0.002]
    const answer = await ask(book, { ...initialPolicy(), review_from, block_from })
    const expected = decided(scores, review_from, block_from)
    const alerts = expected.filter(({ would }) => would !== 'approve')
    const caught = alerts.filter(({ entry }) => frauds.has(entry))
    const declined = expected.filter(({ would, entry }) => would === 'block' && !frauds.has(entry))
    const sum = (rows: readonly TransactionScored[]): bigint =>
      rows.reduce((total, { amount }) => total + BigInt(amount), 0n)
    expect(caught.length).toBeGreaterThan(0)
    expect(declined.length).toBeGreaterThan(0)
    const asset = scores[0]?.asset ?? ''
    expect(answer.would).toEqual({
      alerts: alerts.length,
      blocked: expected.filter(({ would }) => would === 'block').length,
      ...{ caught: caught.length, caught_value: { [asset]: sum(caught) } },
      ...{ declined: declined.length, declined_value: { [asset]: sum(declined) } },
    })
    const changed = expected.filter(({ would, decision }) => would !== decision)
    const largest = changed.map(({ amount }) => BigInt(amount)).sort((a, b) => (a < b ? 1 : -1))
    expect(answer.changes.map(({ amount }) => BigInt(amount))).toEqual(largest.slice(0, 20))
  })

  it('looks only at the span that was asked for, and judges only what has matured', async () => {
    const { book, scores, labelled } = await judgedBook()
    const from = scores[100]?.booked_at ?? ''
    const until = scores[300]?.booked_at ?? ''
    const matured_until = scores[200]?.booked_at ?? ''
    const within = scores.filter(({ booked_at }) => booked_at >= from && booked_at < until)
    const matured = within.filter(({ booked_at }) => booked_at < matured_until)
    const frauds = labelled.filter((one) => matured.some(({ entry }) => entry === one.entry))
    expect(await ask(book, initialPolicy(), { from, until, matured_until })).toMatchObject({
      ...{ movements: within.length, matured: matured.length, frauds: frauds.length },
    })
  })

  it('has rules and lists speak as they would have', async () => {
    const { book, scores } = await judgedBook()
    const lists = { ...initialPolicy().lists, block: { 'cash:vault': { reason: '', until: null } } }
    const answer = await ask(book, { ...initialPolicy(), lists })
    const paid = scores.filter(({ counterparty }) => counterparty === 'cash:vault')
    const others = scores.filter(
      ({ counterparty, decision }) => counterparty !== 'cash:vault' && decision === 'block',
    )
    expect(answer.would.blocked).toBe(paid.length + others.length)
  })

  it('has the brake hear of what was before, as the scorer had it', async () => {
    const { book, recorded } = await newBook()
    const half = Math.floor(recorded.length / 2)
    await newScorer().handle(recorded.slice(0, half))
    const { length } = await scoresOf(book)
    const brake = { window_minutes: 1_440, most_share: 0.5, least_movements: 20 }
    const policy = { ...initialPolicy(), review_from: 0, block_from: 0, brake }
    const governed = { policyOf: async () => ({ policy, revision: 0 }) }
    await newScorer(governed).handle(recorded.slice(half))
    const next = (await scoresOf(book))[length]
    expect(next).toMatchObject({ decision: 'block' })
    const answer = await ask(book, policy, { from: next?.booked_at })
    expect(answer.was.blocked).toBeGreaterThan(20)
    expect(answer.would).toEqual(answer.was)
  })

  it('stops where the scorer has not come yet', async () => {
    const { book, recorded } = await newBook()
    await newScorer().handle(recorded.slice(0, 50))
    expect((await ask(book)).movements).toBe((await scoresOf(book)).length)
  })

  it('gives the same answer to the same question', async () => {
    const { book } = await judgedBook()
    const policy = { ...initialPolicy(), review_from: 0.001, block_from: 0.01 }
    expect(await ask(book, policy)).toEqual(await ask(book, policy))
  })
})
