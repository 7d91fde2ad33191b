import { beforeAll, describe, expect, it } from 'vitest'
import { uuidv5 } from '../domain/ids.ts'
import type { EventStore, Recorded } from '../domain/log.ts'
import type { Model } from '../ml/model.ts'
import { PoisonedMessage } from '../ml/scorer.ts'
import { batches, bookEvents, entryOf, expected, memory, postings } from './ml-support.ts'
import { useScoring } from './scoring-support.ts'

const { get, collect, newScorer, scoresOf, newBook } = useScoring()
let store: EventStore
let rival: EventStore
let model: Model

beforeAll(() => {
  ;({ store, rival, model } = get())
})

const expectScoredOnce = async (book: string, recorded: readonly Recorded[]) => {
  const scores = await scoresOf(book)
  const seen = scores.map(({ revision, entry, features }) => ({ revision, entry, features }))
  expect(seen).toEqual(expected(recorded))
  return scores
}

describe('the scorer', () => {
  it('scores what leaves a customer, once, in order, with the vector of a replay', async () => {
    const { book, recorded } = await newBook()
    const scorer = newScorer()
    for (const batch of batches(recorded, 100)) await scorer.handle(batch)
    const scores = await expectScoredOnce(book, recorded)
    expect(scores.length).toBeGreaterThan(500)
    for (const score of scores) {
      const decision =
        score.probability < model.threshold
          ? 'approve'
          : score.probability < model.block_threshold
            ? 'review'
            : 'block'
      expect(score).toMatchObject({ book, model: 'fraud-2', decision })
    }
    const fraud = new Map(postings.map((posting, place) => [`e${place}`, posting.fraud]))
    const alerts = scores.filter(({ decision }) => decision !== 'approve')
    expect(alerts.length).toBeGreaterThan(5)
    expect(alerts.filter(({ entry }) => fraud.get(entry)).length / alerts.length).toBeGreaterThan(
      0.6,
    )
    expect(alerts.every(({ reasons }) => reasons.length === 3)).toBe(true)
    const [first] = await collect(`scores-${book}`)
    const cause = recorded[scores[0]?.revision ?? -1]
    expect(first?.metadata).toEqual({
      correlation: cause?.metadata.correlation,
      causation: cause?.id,
      actor: 'scorer',
      schema: '1',
    })
  })

  it('takes doubled, overlapping and missing messages as they come', async () => {
    const { book, recorded } = await newBook()
    const scorer = newScorer()
    const parts = batches(recorded, 90)
    for (const [number, batch] of parts.entries()) {
      if (number % 3 === 1 && number < parts.length - 1) continue
      await scorer.handle([...batch, ...batch.slice(20), ...recorded.slice(0, 5)])
    }
    await scorer.handle(recorded.slice(-1))
    await expectScoredOnce(book, recorded)
  })

  it('goes on after a restart from an older snapshot, a newer one, or none', async () => {
    const { book, recorded } = await newBook()
    const snapshots = memory()
    const parts = batches(recorded, 80)
    for (const [number, batch] of parts.entries()) {
      const scorer = newScorer(number % 3 === 2 ? {} : { snapshots })
      await scorer.handle(batch)
      if (number % 2 === 0) await scorer.drain()
    }
    expect(snapshots.saved.size).toBe(1)
    await expectScoredOnce(book, recorded)
  })

  it('resumes inside a batch whose scores were written in part', async () => {
    const { book, recorded } = await newBook((name) => [
      {
        id: uuidv5(name),
        type: 'EntriesPosted',
        data: { entries: postings.slice(0, 900).map((one, place) => entryOf(one, `e${place}`)) },
        metadata: {},
      },
    ])
    let appends = 0
    const dying: EventStore = {
      ...store,
      append: async (...given) => {
        appends += 1
        if (appends > 2) throw new Error('killed')
        return store.append(...given)
      },
    }
    await expect(newScorer({ store: dying }).handle(recorded)).rejects.toThrow('killed')
    expect(await scoresOf(book)).toHaveLength(400)
    await newScorer().handle(recorded)
    await expectScoredOnce(book, recorded)
  })

  it('does not score twice when an append was durable but its answer was lost', async () => {
    const { book, recorded } = await newBook()
    let lost = 0
    const flaky: EventStore = {
      ...store,
      append: async (...given) => {
        const result = await store.append(...given)
        lost += 1
        if (lost % 2 === 1) throw new Error('no answer')
        return result
      },
    }
    const scorer = newScorer({ store: flaky })
    for (const batch of batches(recorded, 150)) {
      for (let tries = 0; tries < 5; tries += 1) {
        const done = await scorer.handle(batch).then(
          () => true,
          () => false,
        )
        if (done) break
      }
    }
    await expectScoredOnce(book, recorded)
    expect(lost).toBeGreaterThan(3)
  })

  it('shares a book with another scorer without scoring anything twice', async () => {
    const { book, recorded } = await newBook()
    const one = newScorer()
    const other = newScorer({ store: rival, clock: () => new Date('2026-11-02T00:00:00.000Z') })
    await Promise.all([
      ...batches(recorded, 70).map((batch) => one.handle(batch)),
      ...batches(recorded, 110).map((batch) => other.handle(batch)),
    ])
    const scores = await expectScoredOnce(book, recorded)
    expect(new Set(scores.map(({ entry }) => entry)).size).toBe(scores.length)
  })

  it('begins again from the log when another scorer was faster', async () => {
    const { book, recorded } = await newBook()
    const warnings: string[] = []
    const log = { warn: (_facts: object, message: string) => void warnings.push(message) }
    const [one, other] = [newScorer({ log }), newScorer({ log, store: rival })]
    await one.handle(recorded.slice(0, 10))
    await other.handle(recorded.slice(0, 30))
    await one.handle(recorded.slice(10, 50))
    await other.handle(recorded.slice(30, 70))
    await one.handle(recorded.slice(50))
    await expectScoredOnce(book, recorded)
    expect(warnings).toEqual(Array(3).fill('another scorer is at work on this book'))
  })

  it('distrusts a snapshot that knows of scores the log does not have', async () => {
    const { book, recorded } = await newBook()
    const snapshots = memory()
    const first = newScorer({ snapshots })
    await first.handle(recorded)
    await first.drain()
    const { book: restored, recorded: again } = await newBook()
    const [snapshot] = snapshots.saved.values()
    if (snapshot) snapshots.saved.set(`scores-${restored}`, snapshot)
    const warnings: string[] = []
    const log = { warn: (_facts: object, message: string) => void warnings.push(message) }
    await newScorer({ snapshots, log }).handle(again)
    await expectScoredOnce(restored, again)
    expect(warnings).toEqual(['the saved feature state does not fit and is made anew'])
    await expectScoredOnce(book, recorded)
  })

  it('keeps several books apart in one batch and passes over other streams', async () => {
    const [first, second] = [await newBook(), await newBook()]
    const user = { ...(first.recorded[0] as Recorded), stream: 'user-1', type: 'UserCreated' }
    const mixed = first.recorded.flatMap((event, place) => [event, second.recorded[place], user])
    await newScorer().handle(mixed.filter((event) => event !== undefined))
    await expectScoredOnce(first.book, first.recorded)
    await expectScoredOnce(second.book, second.recorded)
    expect(await collect('scores-1')).toEqual([])
  })

  it('reviews from the threshold it is given', async () => {
    const { book, recorded } = await newBook()
    const champion = { ...model, threshold: 0.001 }
    await newScorer({ withPanel: (work) => work({ champion, challengers: [] }) }).handle(recorded)
    const scores = await scoresOf(book)
    const below = scores.filter(({ probability }) => probability < 0.001)
    expect(below.length).toBeGreaterThan(0)
    expect(below.every(({ decision }) => decision === 'approve')).toBe(true)
    const between = scores.filter(
      ({ probability }) => probability >= 0.001 && probability < model.block_threshold,
    )
    expect(between.length).toBeGreaterThan(10)
    expect(between.every(({ decision }) => decision === 'review')).toBe(true)
  })
})

describe('a message that cannot be read', () => {
  it('is named, and made good from the log with the next one', async () => {
    const { book, recorded } = await newBook()
    const scorer = newScorer()
    const broken = { ...(recorded[12] as Recorded), type: 'EntryPosted', data: { entry: 'torn' } }
    const given = [...recorded.slice(0, 12), broken, ...recorded.slice(13)]
    const error = await scorer.handle(given).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PoisonedMessage)
    expect(error).toMatchObject({ poison: true, messageIndex: 12 })
    expect((error as Error).message).toContain(`book-${book}@12`)
    await scorer.handle(given.toSpliced(12, 1))
    await expectScoredOnce(book, recorded)
  })

  it('is told of and passed over when it lies in the log itself', async () => {
    const { book, recorded } = await newBook((name) =>
      bookEvents(name).map((event, place) =>
        place === 12 ? { ...event, type: 'EntryPosted', data: { entry: 'torn' } } : event,
      ),
    )
    const told: object[] = []
    const scorer = newScorer({ log: { warn: (facts) => told.push(facts) } })
    await scorer.handle(recorded.slice(20))
    expect(told).toMatchObject([{ stream: `book-${book}`, revision: 12 }])
    await expectScoredOnce(book, recorded.toSpliced(12, 1))
  })
})
