/** Over HTTP: people at a cash machine, and the test door beside it. */
import { accepted } from './bank.ts'
import { type Client, createClient, type Reply } from './client.ts'
import { ADMIN } from './stack.ts'

type Served = { readonly url: string }

export const CARD = { card_number: '4000-0001', pin: '7391' }

export const accountOf = (account_number: string, balance_cents: number, more: object = {}) => ({
  ...{ ref: account_number, account_number, account_type: 'CHECKING', balance_cents, ...more },
})

/** Ada, with 1,000.00 and a card, unless something else is said. */
export const ada = (more: object = {}) => ({
  customer: 'Ada Byron',
  accounts: [accountOf('1000-0001-0001', 100_000)],
  cards: [{ ...CARD, account: '1000-0001-0001' }],
  ...more,
})

/** The door answers every reply, also a refusal. */
export const doorOf = (server: Served) => {
  const knock = (name: string, body?: unknown): Promise<Reply> =>
    createClient(server.url).post(`/test/${name}`, body)
  return {
    knock,
    reset: async () => accepted(await knock('reset')),
    give: async (given: object) => accepted(await knock('given', { contract: 'atm', given })).body,
    clock: async (now: string | null) => accepted(await knock('clock', { now })),
  }
}

/**
 * Signs in anew, because who was known before a reset is not known after it, and reads what was
 * written before that.
 */
export const administrator = async (server: Served): Promise<Client> => {
  const seen = { newest: 0n }
  const anybody = createClient(server.url, undefined, {}, seen)
  const { body } = accepted(await anybody.post('/v1/tokens', ADMIN))
  return createClient(server.url, body.access_token, {}, seen)
}

export type Visitor = {
  readonly session: string
  get(path: string): Promise<Reply>
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>
  /** Cash; the key makes it safe to ask again. */
  withdraw(amount_cents: number, key?: string): Promise<Reply>
  /** Of the only or the first account: cents, as shown in dollars. */
  balance(): Promise<string>
}

export const tryToLogIn = (server: Served, card: object = CARD): Promise<Reply> =>
  createClient(server.url).post('/api/v1/auth/login', card)

/** Somebody with an open session; `server` may have been started again meanwhile. */
export const visitorOf = (server: Served, session: string): Visitor => {
  const own = { 'X-Session-ID': session }
  const post: Visitor['post'] = (path, body = {}, headers = {}) =>
    createClient(server.url).post(`/api/v1${path}`, body, { ...own, ...headers })
  const get: Visitor['get'] = (path) => createClient(server.url).get(`/api/v1${path}`, own)
  return {
    session,
    get,
    post,
    withdraw: (amount_cents, key) =>
      post('/transactions/withdraw', { amount_cents }, key ? { 'Idempotency-Key': key } : {}),
    balance: async () => accepted(await get('/accounts')).body.accounts[0].balance,
  }
}

export const logIn = async (server: Served, card: object = CARD): Promise<Visitor> =>
  visitorOf(server, accepted(await tryToLogIn(server, card)).body.session_id)
