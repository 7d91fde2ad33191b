import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { createEngine } from '../commands/engine.ts'
import type { EntryIndex, PaymentIndex, Ports, Score, ScoreIndex } from '../commands/ports.ts'
import { createNumbers } from '../commands/sequences.ts'
import { CHURN_FEATURES } from '../domain/churn.ts'
import { Labels } from '../domain/labels.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { EventStore } from '../domain/log.ts'
import { FEATURE_NAMES } from '../ml/features.ts'
import { followFeatures } from '../ml/live_features.ts'
import { SHIPPED_CHURN_MODEL, SHIPPED_MODEL } from '../ml/model.ts'
import type { Freshness } from '../projections/freshness.ts'
import { createChurnModel } from './churn/model.ts'
import type { Config } from './config.ts'
import { createGate } from './gate.ts'
import { createGlance, type Glance } from './glance.ts'
import { createLaboratory } from './laboratory.ts'
import type { Log } from './log.ts'
import { type Artefacts, openArtefacts } from './models/artefacts.ts'
import { createPanel } from './models/panel.ts'
import { createCardSessions } from './postgres/card_sessions.ts'
import { createSnapshots } from './postgres/snapshots.ts'
import { createSecrets } from './secrets.ts'
import { openVault } from './vault.ts'

const LOCATE_TIMEOUT_MS = 3000

type Find<Found> = (book: string, entry: string) => Promise<Found | undefined>

/** Asks a read model again, once, when it has seen what the log has now. */
const waiting =
  <Found>(
    store: EventStore,
    freshness: Freshness,
    projection: string,
    find: Find<Found>,
  ): Find<Found> =>
  async (book, entry) => {
    const found = await find(book, entry)
    if (found !== undefined) return found
    const head = await store.head()
    if (!head) return undefined
    await freshness.waitFor([projection], head.commit, LOCATE_TIMEOUT_MS)
    return find(book, entry)
  }

/** Finds entries through the read model; one that is not there yet is waited for, briefly. */
export const createEntryIndex = (
  database: Pool,
  store: EventStore,
  freshness: Freshness,
): EntryIndex => {
  const find = async (book: string, entry: string): Promise<number | undefined> => {
    const { rows } = await database.query<{ revision: string }>(
      'select revision from entries where book = $1 and entry = $2',
      [book, entry],
    )
    return rows[0] && Number(rows[0].revision)
  }
  return { locate: waiting(store, freshness, 'entries', find) }
}

/** Finds scores through the read model; one that is not there yet is waited for, briefly. */
export const createScoreIndex = (
  database: Pool,
  store: EventStore,
  freshness: Freshness,
): ScoreIndex => {
  type Row = Omit<Score, 'booked_at'> & { readonly booked_at: Date }
  const find = async (book: string, entry: string): Promise<Score | undefined> => {
    const { rows } = await database.query<Row>(
      `select account, counterparty, amount, asset, booked_at, probability, decision
       from scores where book = $1 and entry = $2`,
      [book, entry],
    )
    return rows[0] && { ...rows[0], booked_at: rows[0].booked_at.toISOString() }
  }
  return { find: waiting(store, freshness, 'scores', find) }
}

/** As far as the read model knows of them: what is requested later, the ledger refuses. */
const createPaymentIndex = (database: Pool): PaymentIndex => ({
  areWaiting: async (book, account) => {
    const { rows } = await database.query(
      `select from payments where book = $1 and status in ('pending', 'accepted')
         and (from_account = $2 or to_account = $2) limit 1`,
      [book, account],
    )
    return rows.length > 0
  },
})

/** Any text of enough characters makes a key of 32 bytes, always the same. */
const keyFrom = (text: string | undefined): Buffer | undefined =>
  text === undefined ? undefined : createHash('sha256').update(text).digest()

/** What the data directory keeps a secret for. */
export type SecretName = 'tokens' | 'vault' | 'pins' | 'webhooks'

export type PortSettings = {
  readonly config: Pick<
    Config,
    'tokenSecret' | 'vaultKey' | 'pinPepper' | 'riskGateTimeoutMs' | 'riskAlertThreshold'
  >
  readonly log: Log
  readonly store: EventStore
  readonly database: Pool
  readonly index: EntryIndex
  readonly scores: ScoreIndex
  /** The data directory's own, where the configuration gives none. */
  readonly secret: (name: SecretName) => Buffer
  /** The data directory: model files lie in it. */
  readonly directory: string
  readonly clock: () => Date
}

/** The ports, the model files behind them, and how to let go of what they opened. */
export type OpenPorts = {
  readonly ports: Ports
  readonly artefacts: Artefacts
  readonly glance: Glance
  readonly close: () => Promise<void>
}

/** Wires the commands' ports to this process's connections. */
export const createPorts = async (settings: PortSettings): Promise<OpenPorts> => {
  const { config, store, database, index, scores, secret, clock, directory, log } = settings
  const tokenSecret = keyFrom(config.tokenSecret) ?? secret('tokens')
  const masterKey = keyFrom(config.vaultKey) ?? secret('vault')
  const pepper = keyFrom(config.pinPepper) ?? secret('pins')
  const snapshots = await createSnapshots(database)
  const engine = createEngine(store, snapshots)
  const closing = new AbortController()
  const glance = createGlance(engine)
  const features = followFeatures({
    ...{ store, snapshots, log, signal: closing.signal },
    heads: {
      ofBook: (book) => engine.peek(`${Ledger.category}-${book}`)?.revision,
      ofLabels: async (book) => (await glance(Labels, book)).revision,
    },
  })
  const artefacts = openArtefacts(join(directory, 'models'))
  const around = { engine, glance, artefacts, clock, log }
  const churn = createPanel({
    ...{ ...around, family: 'churn', features: CHURN_FEATURES, shipped: SHIPPED_CHURN_MODEL },
  })
  const fraud = createPanel({
    ...{ ...around, family: 'fraud', features: FEATURE_NAMES, shipped: SHIPPED_MODEL },
    threshold: config.riskAlertThreshold,
  })
  const ports: Ports = {
    store,
    clock,
    index,
    scores,
    payments: createPaymentIndex(database),
    engine,
    secrets: createSecrets({ secret: tokenSecret, pepper, clock }),
    vault: await openVault({ database, masterKey }),
    numbers: createNumbers(engine, clock),
    cardSessions: await createCardSessions(database),
    churnModel: createChurnModel(churn),
    laboratory: createLaboratory({ database, glance, fraud, clock }),
    gate: createGate({ glance, features, fraud, log, timeout_ms: config.riskGateTimeoutMs }),
  }
  const close = async (): Promise<void> => {
    closing.abort()
    await features.ended
    await Promise.all([churn.close(), fraud.close()])
  }
  return { ports, artefacts, glance, close }
}
