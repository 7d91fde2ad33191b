import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entriesOf as entriesIn, type Line } from '../../domain/ledger/events.ts'
import type { Recorded } from '../../domain/log.ts'
import type { TransactionScored } from '../../domain/risk.ts'
import { openKafkaBus } from '../../infra/bus/kafka.ts'
import {
  type KafkaPlace,
  type KafkaServer,
  prepareKafka,
  startKafka,
} from '../../infra/kafka/server.ts'
import { accepted, openBank, transferOf } from '../support/bank.ts'
import { type Client, eventually } from '../support/client.ts'
import { type Daybook, makeDirectory, removeDirectory, startDaybook } from '../support/stack.ts'
import { type Follower, follow } from './follow.ts'

const DEADLINE_MS = 120_000
const PAGE = 1000

/** Every event of a stream, as the API has them. */
const readStream = async (admin: Client, stream: string): Promise<Recorded[]> => {
  const found: Recorded[] = []
  for (let from: number | null = 0; from !== null; ) {
    const path: string = `/v1/streams/${stream}/events?from=${from}&limit=${PAGE}`
    const { body } = accepted(await admin.get(path))
    found.push(...body.items)
    from = body.next_from
  }
  return found
}

const scoredIn = async (admin: Client, book: string): Promise<string[]> =>
  (await readStream(admin, `scores-${book}`)).map(({ data }) => {
    return (data as TransactionScored).entry
  })

/** What Ada paid, whatever its poster was told. */
const paidIn = async (admin: Client, book: string): Promise<string[]> =>
  (await readStream(admin, `book-${book}`)).flatMap((event) =>
    entriesIn(event as { type: string; data: object })
      .filter(({ lines }) => lines.some(isPayment))
      .map(({ id }) => id),
  )

const isPayment = ({ account, direction }: Line): boolean =>
  account === 'customers:ada' && direction === 'debit'

const entriesOf = (follower: Follower, book: string): string[] =>
  follower.events.filter(({ data }) => data.data.book === book).map(({ data }) => data.data.entry)

/** A bank with money, and transfers that are posted one after another. */
const openTraffic = async (admin: Client, book: string) => {
  const at = await openBank(admin, book)
  const funds = transferOf('cash:vault', 'customers:ada', '100000000')
  accepted(await admin.post(`${at}/transfers`, funds))
  const entries: string[] = []
  const postOne = async (): Promise<void> => {
    const transfer = transferOf('customers:ada', 'customers:bob', `${100 + entries.length}`)
    entries.push(accepted(await admin.post(`${at}/transfers`, transfer)).body.id)
  }
  return {
    entries,
    post: async (count: number): Promise<void> => {
      for (let posted = 0; posted < count; posted += 1) await postOne()
    },
    /** Posts for as long as something else takes. */
    postDuring: async <Result>(work: Promise<Result>): Promise<Result> => {
      const over = new AbortController()
      const done = work.finally(() => over.abort())
      while (!over.signal.aborted) await postOne()
      return done
    },
  }
}

describe.skipIf(!process.env.KAFKA_BROKERS)('scoring over Kafka', { timeout: 300_000 }, () => {
  const directory = makeDirectory()
  let place: KafkaPlace
  let server: KafkaServer
  let daybook: Daybook
  let admin: Client

  const start = async (): Promise<void> => {
    daybook = await startDaybook({ directory, env: { KAFKA_BROKERS: place.brokers } })
    admin = await daybook.as('admin')
  }
  const followScores = (after: string): Promise<Follower> =>
    follow(`${daybook.url}/v1/risk/scores/stream`, admin.token, after)

  beforeAll(async () => {
    place = await prepareKafka()
    server = await startKafka(place)
    await start()
  }, 180_000)

  afterAll(async () => {
    await daybook?.stop()
    await server?.stop()
    place?.remove()
    removeDirectory(directory)
  }, 90_000)

  const sees = (follower: Follower, book: string, count: number) =>
    eventually(
      `${count} scores of ${book} are seen`,
      async () => entriesOf(follower, book).length,
      (seen) => seen >= count,
      DEADLINE_MS,
    )

  /** Until the scorer has committed all there is: after that no score can follow. */
  const settle = async (book: string, count: number): Promise<void> => {
    const scored = async () => (await scoredIn(admin, book)).length
    const log = pino({ level: 'silent' })
    const bus = openKafkaBus({ brokers: [place.brokers], log, partitions: 4 })
    await eventually('all is scored', scored, (found) => found >= count, DEADLINE_MS)
    const lag = () => bus.lag('scorer', 'daybook.ledger')
    await eventually('the scorer has read all', lag, (left) => left === 0, DEADLINE_MS)
    await bus.close()
  }

  it('goes from a posting to an event that is seen live', async () => {
    const follower = await followScores('0')
    const { entries, post } = await openTraffic(admin, 'live')
    await post(5)
    await sees(follower, 'live', 5)
    expect(entriesOf(follower, 'live')).toEqual(entries)
    const [score] = follower.events
    expect(score).toMatchObject({ event: 'TransactionScored', data: { stream: 'scores-live' } })
    expect(score?.data.data.probability).toBeGreaterThanOrEqual(0)
    const [first = ''] = entries
    const shown = () => admin.get(`/v1/risk/scores/live/${first}`)
    await eventually('the score is shown', shown, ({ status }) => status === 200)
    await follower.stop()
  })

  it('scores each transaction once when the broker restarts in mid-traffic', async () => {
    const faithful = await followScores('0')
    const cut = await followScores('0')
    const traffic = await openTraffic(admin, 'restart')
    await traffic.post(50)
    await sees(cut, 'restart', 1)

    await traffic.postDuring(server.stop())
    await cut.stop()
    await traffic.post(50)
    server = await traffic.postDuring(startKafka(place))
    await traffic.post(50)

    const { entries } = traffic
    await settle('restart', entries.length)
    expect(await scoredIn(admin, 'restart')).toEqual(entries)
    await sees(faithful, 'restart', entries.length)
    expect(entriesOf(faithful, 'restart')).toEqual(entries)

    const before = entriesOf(cut, 'restart')
    expect(before.length).toBeLessThan(entries.length)
    const resumed = await followScores(cut.events.at(-1)?.id ?? '')
    await sees(resumed, 'restart', entries.length - before.length)
    expect([...before, ...entriesOf(resumed, 'restart')]).toEqual(entries)
    await Promise.all([faithful.stop(), resumed.stop()])
  })

  it('scores each transaction once though every message comes again', async () => {
    const { entries, post } = await openTraffic(admin, 'again')
    await post(20)
    await settle('again', 20)
    const log = pino({ level: 'silent' })
    const bus = openKafkaBus({ brokers: [place.brokers], log, partitions: 4 })
    const signal = AbortSignal.timeout(DEADLINE_MS)
    const options = { group: 'nobody', topic: 'daybook.ledger', limit: 100_000, signal }
    const messages = await bus.peek(options)
    const book = messages.filter(({ key }) => key === 'book-again')
    expect(book.length).toBeGreaterThan(20)
    await bus.publish('daybook.ledger', book)
    await bus.close()
    await post(1)
    await settle('again', 21)
    expect(await scoredIn(admin, 'again')).toEqual(entries)
  })

  it('scores each transaction once when Daybook is killed in mid-traffic', async () => {
    const traffic = await openTraffic(admin, 'killed')
    await traffic.post(50)
    const follower = await followScores('0')
    await sees(follower, 'killed', 1)
    // What is refused by a dying Daybook may have been posted all the same.
    await Promise.all([daybook.kill(), traffic.post(50).catch(() => undefined)])
    await follower.stop()
    const last = follower.events.at(-1)?.id ?? ''
    await start()
    const resumed = await followScores(last)
    const again = transferOf('customers:ada', 'customers:bob', '1')
    accepted(await admin.post('/v1/books/killed/transfers', again))

    const paid = await paidIn(admin, 'killed')
    expect(paid).toEqual(expect.arrayContaining(traffic.entries))
    await settle('killed', paid.length)
    expect(await scoredIn(admin, 'killed')).toEqual(paid)
    const before = entriesOf(follower, 'killed')
    await sees(resumed, 'killed', paid.length - before.length)
    expect([...before, ...entriesOf(resumed, 'killed')]).toEqual(paid)
    await resumed.stop()
  })
})
