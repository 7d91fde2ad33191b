import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ulid } from 'ulid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv5 } from '../domain/ids.ts'
import { decode } from '../domain/kernel.ts'
import type { EventStore, Recorded } from '../domain/log.ts'
import { riskEvents, type TransactionScored } from '../domain/risk.ts'
import { connectEventStore } from '../infra/eventstore/client.ts'
import {
  type EmbeddedEventStore,
  startEmbeddedEventStore,
} from '../infra/eventstore/embedded/index.ts'
import { loadModel, type Model, SHIPPED_MODEL } from '../ml/model.ts'
import { createScorer, PoisonedMessage, type ScorerSettings } from '../ml/scorer.ts'
import { memory } from './ml-support.ts'

let directory: string
let server: EmbeddedEventStore
let store: EventStore
let model: Model

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'daybook-labels-'))
  server = await startEmbeddedEventStore({ directory })
  store = connectEventStore({ url: server.url })
  model = await loadModel(SHIPPED_MODEL)
})

afterAll(async () => {
  await Promise.all([store?.close(), model?.close()])
  await server?.close()
  await rm(directory, { recursive: true, force: true })
})

const collect = async (stream: string): Promise<Recorded[]> => {
  const events: Recorded[] = []
  for await (const event of store.readStream(stream)) events.push(event)
  return events
}

const newScorer = (changes: Partial<ScorerSettings> = {}) =>
  createScorer({
    store,
    model,
    snapshots: memory(),
    clock: () => new Date('2026-11-01T00:00:00.000Z'),
    log: { warn: () => undefined },
    ...changes,
  })

const scoresOf = async (book: string): Promise<TransactionScored[]> =>
  (await collect(`scores-${book}`)).map(
    (event) => decode(riskEvents, event).data as TransactionScored,
  )

describe('the scorer and the labels of its book', () => {
  const at = '2026-01-20T12:00:00.000Z'
  const side = { amount: '100', asset: 'USD/2', balance: '0' }
  const payment = (entry: string) => ({
    id: uuidv5(`${entry} ${ulid()}`),
    type: 'EntryPosted',
    data: {
      entry: {
        id: entry,
        kind: 'withdrawal',
        lines: [
          { ...side, account: 'customers:1:a', direction: 'debit' },
          { ...side, account: 'cash:vault', direction: 'credit' },
        ],
        booked_at: at,
        value_date: '2026-01-20',
        description: 'Cash',
        metadata: { machine: 'atm-1' },
      },
    },
    metadata: {},
  })
  const label = (book: string, entry: string, fraud = true) => {
    const paid = { account: 'customers:1:a', counterparty: 'cash:vault', amount: '100' }
    const said = { fraud, source: 'customer', note: 'not me', labelled_at: at }
    const data = { book, entry, ...paid, asset: 'USD/2', booked_at: at, ...said }
    return { id: uuidv5(ulid()), type: 'TransactionLabelled', data, metadata: {} }
  }
  /** Three payments, the first of them labelled before the third was made. */
  const labelledBook = async () => {
    const book = `b${ulid().toLowerCase()}`
    await store.append(`book-${book}`, -1, [payment('e1'), payment('e2')])
    await store.append(`labels-${book}`, -1, [label(book, 'e1')])
    await store.append(`book-${book}`, 1, [payment('e3')])
    return { book, recorded: await collect(`book-${book}`) }
  }
  const heard = async (book: string) =>
    (await scoresOf(book)).map(({ entry, features }) => [entry, features.terminal_frauds_7d])

  it('hears a label when it stands before the payment in the log, however late it scores', async () => {
    const { book, recorded } = await labelledBook()
    await store.append(`labels-${book}`, 0, [label(book, 'e2')])
    await newScorer().handle(recorded)
    expect(await heard(book)).toEqual([
      ['e1', 0],
      ['e2', 0],
      ['e3', 1],
    ])
  })

  it('goes on hearing, through restarts with a snapshot and without', async () => {
    const { book, recorded } = await labelledBook()
    const snapshots = memory()
    const scorer = newScorer({ snapshots })
    await scorer.handle(recorded)
    const goOn = async (from: number, entry: string, said: ReturnType<typeof label>) => {
      await store.append(`labels-${book}`, from - 3, [said])
      await store.append(`book-${book}`, from - 1, [payment(entry)])
      return (await collect(`book-${book}`)).slice(from)
    }
    await scorer.handle(await goOn(3, 'e4', label(book, 'e2')))
    await scorer.drain()
    const restarted = newScorer({ snapshots })
    await restarted.handle(await goOn(4, 'e5', label(book, 'e1', false)))
    await newScorer().handle(await goOn(5, 'e6', label(book, 'e5')))
    expect((await heard(book)).map(([, frauds]) => frauds)).toEqual([0, 0, 1, 2, 1, 2])
  })

  it('stops at a label that cannot be read, without blaming a payment', async () => {
    const { book, recorded } = await labelledBook()
    await store.append(`labels-${book}`, 0, [{ ...label(book, 'e1'), data: {} }])
    await store.append(`book-${book}`, 2, [payment('e4')])
    const error = await newScorer()
      .handle([...recorded, ...(await collect(`book-${book}`)).slice(3)])
      .catch((thrown: unknown) => thrown)
    expect(error).not.toBeInstanceOf(PoisonedMessage)
    expect((error as Error).message).toBe(`labels-${book} cannot be read at 1`)
  })
})
