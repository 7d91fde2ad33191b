/** The commands' ports without a machine under them: for tests of rules, thousands at a time. */
import { createHash, createHmac } from 'node:crypto'
import { createEngine, type Engine } from '../../commands/engine.ts'
import type { Laboratory } from '../../commands/laboratory.ts'
import type {
  AccessClaims,
  CardHolder,
  ChurnModel,
  LiveCardSessions,
  Ports,
  RiskGate,
  Secrets,
} from '../../commands/ports.ts'
import { createNumbers } from '../../commands/sequences.ts'
import { CARD_SESSION_SECONDS } from '../../domain/card_sessions.ts'
import { refuse } from '../../domain/kernel.ts'
import { entriesOf } from '../../domain/ledger/events.ts'
import type { EventStore, NewEvent, Recorded } from '../../domain/log.ts'
import type { PaymentRequest } from '../../domain/payments.ts'
import type { TransactionScored } from '../../domain/risk.ts'
import type { Screening } from '../../domain/screening.ts'
import type { Vault } from '../../domain/vault.ts'

export type MemoryStore = EventStore & { readonly log: Recorded[] }

/** A log in memory, by the rules of the port. What is kept has been JSON once. */
export const createMemoryStore = (clock: () => Date): MemoryStore => {
  const log: Recorded[] = []
  const streams = new Map<string, Recorded[]>()

  const keep = (stream: string, revision: number, event: NewEvent): Recorded => {
    const commit = BigInt(log.length + 1)
    const data: unknown = JSON.parse(JSON.stringify(event.data))
    const position = { commit, prepare: commit }
    return { ...event, data, stream, revision, position, recordedAt: clock() }
  }
  return {
    log,
    append: async (stream, expected, events) => {
      const known = streams.get(stream) ?? []
      streams.set(stream, known)
      if (known.length - 1 !== expected) return { outcome: 'conflict' }
      for (const event of events) {
        const recorded = keep(stream, known.length, event)
        known.push(recorded)
        log.push(recorded)
      }
      const revision = known.length - 1
      return {
        outcome: 'appended',
        revision,
        position: { commit: BigInt(log.length), prepare: 0n },
      }
    },
    readStream: async function* (stream, options = {}) {
      const { direction, from, limit = Number.POSITIVE_INFINITY } = options
      const known = streams.get(stream) ?? []
      const first = from ?? (direction === 'backwards' ? known.length - 1 : 0)
      const ahead = known.slice(first, first + limit)
      const back = known
        .slice(0, first + 1)
        .reverse()
        .slice(0, limit)
      yield* direction === 'backwards' ? back : ahead
    },
    readAll: async function* () {
      yield* log
    },
    subscribe: () => {
      throw new Error('nobody subscribes to a log in memory')
    },
    head: async () => log.at(-1)?.position,
    close: async () => undefined,
  }
}

/** Not secret, but as the port has it; a real hash of a password takes a tenth of a second. */
const createPlainSecrets = (): Secrets => {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')
  const tokens = new Map<string, AccessClaims>()
  let made = 0
  return {
    hashPassword: async (password) => digest(password),
    verifyPassword: async (hash, password) => hash === digest(password),
    hashPin: async (pin) => digest(`pin ${pin}`),
    verifyPin: async (hash, pin) => hash === digest(`pin ${pin}`),
    claim: (kind, value) => createHmac('sha256', kind).update(value).digest('hex'),
    signAccess: async (claims) => {
      const token = `access-${tokens.size}`
      tokens.set(token, claims)
      return token
    },
    verifyAccess: async (token) => tokens.get(token),
    randomToken: () => {
      made += 1
      return digest(`token ${made}`)
    },
    digest,
  }
}

const plainVault: Vault = {
  seal: async (_subject, fields) => Buffer.from(JSON.stringify(fields)).toString('base64'),
  open: async (_subject, sealed) => JSON.parse(Buffer.from(sealed, 'base64').toString()),
  openAll: async (texts) =>
    texts.map(({ sealed }) => JSON.parse(Buffer.from(sealed, 'base64').toString())),
  sealBytes: async (_subject, bytes) => bytes,
  openBytes: async (_subject, sealed) => sealed,
  forget: async () => undefined,
}

const createMemoryCardSessions = (): LiveCardSessions => {
  const live = new Map<string, { readonly holder: CardHolder; used: number }>()
  const isAlive = (used: number, at: Date): boolean =>
    at.getTime() - used <= CARD_SESSION_SECONDS * 1000
  return {
    open: async (digest, holder, at) => void live.set(digest, { holder, used: at.getTime() }),
    use: async (digest, at) => {
      const found = live.get(digest)
      if (!found || !isAlive(found.used, at)) return undefined
      found.used = at.getTime()
      return found.holder
    },
    end: async (session) => {
      for (const [digest, { holder }] of live) {
        if (holder.session === session) live.delete(digest)
      }
    },
    ofCard: async (card) =>
      [...live.values()].flatMap(({ holder }) => (holder.card === card ? [holder.session] : [])),
    expired: async (at, limit) =>
      [...live.values()]
        .filter(({ used }) => !isAlive(used, at))
        .slice(0, limit)
        .map(({ holder }) => holder),
  }
}

/** The older, the likelier he leaves: enough to decide on. */
export const plainChurnModel: ChurnModel = {
  version: async () => 'plain-1',
  score: async ({ age }) => ({
    model: 'plain-1',
    probability: age / 120,
    reasons: [],
    challengers: [],
  }),
}

const outcomes: Readonly<Record<string, Screening['outcome']>> = {
  7: 'hold',
  8: 'hold',
  9: 'refuse',
}

/** What ends in 7 or 8 is held, what ends in 9 refused: enough to decide on. */
export const plainGate: RiskGate = {
  screen: async ({ amount }) => ({
    outcome: outcomes[amount.at(-1) ?? ''] ?? 'post',
    score: null,
    failure: 'unavailable',
  }),
}

/** Too little to go by, but for a contest, which every challenger wins. */
export const plainLaboratory: Laboratory = {
  thresholds: async () => refuse('EVIDENCE_INSUFFICIENT', 'There is nothing.'),
  drift: async () => refuse('EVIDENCE_INSUFFICIENT', 'There is nothing.'),
  contest: async ({ version }) => ({
    ...{ champion: 'before', challenger: version, rows: 500, frauds: 20, earned: true },
    average_precision: { champion: 0.5, challenger: 0.75 },
    net_value: { champion: '100', challenger: '900' },
    precision_lead: { difference: 0.25, low: 0.125, high: 0.375 },
    value_lead: { difference: '800', low: '400', high: '1200' },
  }),
}

export const noSnapshots = { load: async () => undefined, save: async () => undefined }

export type MemoryPorts = Ports & { readonly store: MemoryStore }

/** `around`: what stands between the commands and the engine. */
export const createMemoryPorts = (
  clock: () => Date,
  around: (engine: Engine) => Engine = (engine) => engine,
): MemoryPorts => {
  const store = createMemoryStore(clock)
  const engine = around(createEngine(store, noSnapshots))
  return {
    store,
    engine,
    clock,
    numbers: createNumbers(engine, clock),
    cardSessions: createMemoryCardSessions(),
    churnModel: plainChurnModel,
    gate: plainGate,
    laboratory: plainLaboratory,
    secrets: createPlainSecrets(),
    vault: plainVault,
    index: {
      locate: async (book, entry) =>
        store.log.find(
          (event) =>
            event.stream === `book-${book}` &&
            entriesOf(event as { type: string; data: object }).some(({ id }) => id === entry),
        )?.revision,
    },
    payments: {
      areWaiting: async (book, account) => {
        const settled = new Set(['PaymentRejected', 'PaymentCompleted', 'PaymentFailed'])
        const waiting = new Set<string>()
        for (const { type, data } of store.log) {
          const { payment, ...sides } = data as PaymentRequest
          const takesPart = sides.book === book && [sides.from, sides.to].includes(account)
          if (type === 'PaymentRequested' && takesPart) waiting.add(payment)
          if (settled.has(type)) waiting.delete(payment)
        }
        return waiting.size > 0
      },
    },
    scores: {
      find: async (book, entry) => {
        const scores = store.log.flatMap(({ type, data }) =>
          type === 'TransactionScored' ? [data as TransactionScored] : [],
        )
        return scores.find((score) => score.book === book && score.entry === entry)
      },
    },
  }
}
