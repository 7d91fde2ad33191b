import { ulid } from 'ulid'
import { beforeAll, describe, expect, it } from 'vitest'
import { uuidv5 } from '../domain/ids.ts'
import type { EventStore } from '../domain/log.ts'
import { PoisonedMessage } from '../ml/scorer.ts'
import { memory } from './ml-support.ts'
import { useScoring } from './scoring-support.ts'

const { get, collect, newScorer, scoresOf } = useScoring()
let store: EventStore

beforeAll(() => {
  ;({ store } = get())
})

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
