import { setTimeout as wait } from 'node:timers/promises'
import { type Connection, openConnection, type Request } from './connection.ts'
import { ADMIN, type Daybook } from './daybook.ts'
import { expectStatus } from './load.ts'

/** The accounts that the load moves money between, and how to ask for that. */
export type Bank = {
  readonly daybook: Daybook
  readonly token: string
  /** Connections of the administrator's. */
  open(connections: number): Promise<Connection[]>
  /** A transfer between two of the accounts, chosen at random, all equally likely. */
  transfer(): Request
  /** A transfer from one of the accounts, chosen at random, to the same one each time. */
  hotTransfer(): Request
  /** An entry of two lines, as batches and imports take them. */
  entry(): object
  account(): string
  /** Resolves when every read model and the scorer have seen everything. */
  settle(): Promise<void>
  ask(path: string): Promise<unknown>
}

export const BOOK = 'bench'
const PATH = `/v1/books/${BOOK}`
const ACCOUNTS = 1000
const HOT = 'merchants:1:settlement'
const SETTLE_TIMEOUT_MS = 120_000
const ASK_TIMEOUT_MS = 10_000

/** Numerical Recipes' generator: the same accounts are chosen in every run. */
export const createRandom = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const random = createRandom(42)
const account = (): string => `customers:${random(ACCOUNTS)}:checking`

const otherThan = (taken: string): string => {
  let chosen = account()
  while (chosen === taken) chosen = account()
  return chosen
}

let keys = 0

/** With a key of its own, as a careful client sends it. */
const transferTo = (from: string, to: string): Request => {
  keys += 1
  const amount = String(1 + random(10_000))
  return {
    method: 'POST',
    path: `${PATH}/transfers`,
    body: `{"from":"${from}","to":"${to}","amount":"${amount}","description":"Rent"}`,
    headers: { 'Idempotency-Key': `bench-${keys}` },
  }
}

const entry = (): object => {
  const from = account()
  const amount = String(1 + random(10_000))
  return {
    kind: 'transfer',
    lines: [
      { account: from, direction: 'debit', amount },
      { account: otherThan(from), direction: 'credit', amount },
    ],
  }
}

const post = (path: string, body: object): Request => ({
  method: 'POST',
  path,
  body: JSON.stringify(body),
})

const logIn = async (url: URL): Promise<string> => {
  const response = await fetch(new URL('/v1/tokens', url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(ADMIN),
  })
  if (response.status !== 201) throw new Error(`log-in: ${await response.text()}`)
  const { access_token } = (await response.json()) as { access_token: string }
  return access_token
}

const openAccounts = async (connection: Connection): Promise<void> => {
  expectStatus(
    await connection.send(post('/v1/books', { book: BOOK, name: 'Bench', assets: ['USD/2'] })),
    201,
  )
  const codes = Array.from({ length: ACCOUNTS }, (_, index) => `customers:${index}:checking`)
  for (const code of [...codes, HOT]) {
    const details = { account: code, type: 'liability', asset: 'USD/2', name: 'Checking' }
    // Nothing may be refused for lack of money: this measures postings.
    const body = { ...details, overdraft_limit: 'unlimited' }
    expectStatus(await connection.send(post(`${PATH}/accounts`, body)), 201)
  }
}

type Progress = {
  head: string
  items: { name: string; lag_events: number; status: string; error: string | null }[]
}

const ask = async (url: URL, token: string, path: string): Promise<unknown> => {
  const response = await fetch(new URL(path, url), {
    headers: { Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
  })
  if (response.status !== 200) throw new Error(`${path}: ${await response.text()}`)
  return response.json()
}

/** The head stands still too: scores are events, and each posting leads to one. */
const settle = async (url: URL, token: string): Promise<void> => {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS
  let head = ''
  let still = 0
  while (still < 3) {
    if (performance.now() > deadline) throw new Error('the read models do not catch up')
    await wait(300)
    const progress = (await ask(url, token, '/v1/projections')) as Progress
    const stopped = progress.items.find(({ status }) => status === 'stopped')
    if (stopped) throw new Error(`the projection ${stopped.name} has stopped: ${stopped.error}`)
    const current = progress.items.every(({ lag_events }) => lag_events === 0)
    still = current && progress.head === head ? still + 1 : 0
    head = progress.head
  }
}

/** Opens a book with its accounts on an empty Daybook. */
export const openBank = async (daybook: Daybook): Promise<Bank> => {
  const token = await logIn(daybook.url)
  const identity = { Authorization: `Bearer ${token}` }
  const control = await openConnection(daybook.url, identity)
  await openAccounts(control)
  control.close()
  return {
    daybook,
    token,
    account,
    entry,
    open: (connections) =>
      Promise.all(Array.from({ length: connections }, () => openConnection(daybook.url, identity))),
    transfer: () => {
      const from = account()
      return transferTo(from, otherThan(from))
    },
    hotTransfer: () => transferTo(account(), HOT),
    settle: () => settle(daybook.url, token),
    ask: (path) => ask(daybook.url, token, path),
  }
}
