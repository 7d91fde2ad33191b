/** People with accounts and cards, and a machine with money in it, as a bank's own systems make them. */
import type { Bank } from './bank.ts'
import type { Connection, Request } from './connection.ts'
import { expectStatus } from './load.ts'

/** Whoever can log in at the machine. */
export type CardHolder = {
  readonly card_number: string
  readonly pin: string
  /** What the machine calls the account. */
  readonly id: number
  readonly account_number: string
}

type Ask = <Answer>(method: 'POST' | 'PUT', path: string, body: object) => Promise<Answer>

const PATH = '/v1/books/main'
const PIN = '4813'
/** Cents. Nothing may be refused for lack of money, and no day's limit may be reached. */
const PLENTY = '100000000'
const LOADS = 10
const NOTES = 10_000
const VAULT = String(LOADS * NOTES * 2000)

const asker =
  (connection: Connection): Ask =>
  async <Answer>(method: Request['method'], path: string, body: object) => {
    const answer = await connection.send({ method, path, body: JSON.stringify(body) })
    const { body: text } = expectStatus(answer, method === 'PUT' ? 200 : 201)
    return JSON.parse(text) as Answer
  }

const installMachine = async (ask: Ask): Promise<void> => {
  await ask('POST', '/v1/books', { book: 'main', name: 'Main book', assets: ['USD/2'] })
  await ask('POST', `${PATH}/machines`, { machine: '1' })
  await ask('POST', `${PATH}/deposits/cash:vault/opening-balance`, { amount: VAULT })
  for (let load = 0; load < LOADS; load += 1) {
    await ask('POST', `${PATH}/machines/1/loads`, { twenties: NOTES })
  }
}

const digits = (number: number): string => String(number).padStart(4, '0')

type Opened = { readonly id: number; readonly account: string; readonly account_number: string }

/** His limits are raised and not taken away, so that they are counted against. */
const openAccount = async (ask: Ask, number: number): Promise<Opened> => {
  const name = `Card Holder ${number}`
  const { customer } = await ask<{ customer: string }>('POST', '/v1/customers', { name })
  const account_number = `1000-0001-${digits(number)}`
  const details = { customer, account_number, product: 'checking' }
  const opened = await ask<Opened>('POST', `${PATH}/deposits`, details)
  const { account } = opened
  await ask('POST', `${PATH}/deposits/${account}/opening-balance`, { amount: PLENTY })
  const velocity_limits = ['withdrawal', 'transfer'].map((kind) => ({
    ...{ window: 'day', kind, amount: PLENTY },
  }))
  const terms = { overdraft_limit: '0', velocity_limits }
  await ask('PUT', `${PATH}/accounts/${account}/terms`, terms)
  return opened
}

/** Several cards may belong to one account; `deck` tells their numbers apart. */
const issueCard = async (
  ask: Ask,
  { id, account_number }: Opened,
  deck: number,
): Promise<CardHolder> => {
  const card_number = `${digits(4000 + deck)}-${account_number.slice(5)}`
  await ask('POST', '/v1/cards', { card_number, pin: PIN, book: 'main', account_number })
  return { card_number, pin: PIN, id, account_number }
}

/** So many decks of cards, each with one card for each of the accounts. */
const openCardHolders = async (
  bank: Bank,
  accounts: number,
  decks: number,
): Promise<CardHolder[][]> => {
  const [connection] = await bank.open(1)
  if (!connection) throw new Error('no connection was opened')
  const ask = asker(connection)
  await installMachine(ask)
  const cards: CardHolder[][] = Array.from({ length: decks }, () => [])
  for (let number = 1; number <= accounts; number += 1) {
    const opened = await openAccount(ask, number)
    for (const [deck, issued] of cards.entries()) issued.push(await issueCard(ask, opened, deck))
  }
  connection.close()
  return cards
}

let provided: Promise<CardHolder[][]> | undefined

/** Opened once, for whichever measurement comes first. */
export const provideCardHolders: typeof openCardHolders = (...wanted) => {
  provided ??= openCardHolders(...wanted)
  return provided
}
