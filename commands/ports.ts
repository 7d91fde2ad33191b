import type { ChurnProfile } from '../domain/churn.ts'
import type { EventStore } from '../domain/log.ts'
import type { Role } from '../domain/permissions.ts'
import type { TransactionScored } from '../domain/risk.ts'
import type { Screening } from '../domain/screening.ts'
import type { Vault } from '../domain/vault.ts'
import type { Engine } from './engine.ts'
import type { Laboratory } from './laboratory.ts'
import type { Numbers } from './sequences.ts'

export type Actor = { readonly id: string; readonly roles: readonly Role[] }

/** What commands need of the world; `infra` supplies it. */
export type Ports = {
  readonly store: EventStore
  readonly engine: Engine
  readonly clock: () => Date
  readonly secrets: Secrets
  readonly vault: Vault
  readonly index: EntryIndex
  readonly scores: ScoreIndex
  readonly payments: PaymentIndex
  readonly numbers: Numbers
  readonly cardSessions: LiveCardSessions
  readonly churnModel: ChurnModel
  readonly gate: RiskGate
  readonly laboratory: Laboratory
}

/** A movement that somebody asks for, before it is booked. Amounts are minor units. */
export type AskedMovement = {
  readonly book: string
  readonly entry: string
  readonly kind: string
  readonly account: string
  readonly counterparty: string
  readonly amount: string
  readonly asset: string
  readonly metadata: Readonly<Record<string, string>> | undefined
  /** ISO time. */
  readonly at: string
}

/** The fraud model and the book's policy, asked before something is booked. */
export type RiskGate = {
  /** Always answers: what could not be scored in time comes to what the book's policy says then. */
  screen(asked: AskedMovement): Promise<Screening>
}

/** The churn model that answers now; `infra` has it. */
export type ChurnModel = {
  score(profile: ChurnProfile): Promise<{
    readonly model: string
    readonly probability: number
    /** What moved the score most, in log-odds, the strongest first. */
    readonly reasons: readonly {
      readonly feature: string
      readonly value: number
      readonly contribution: number
    }[]
    /** What models that challenge say; it changes nothing. */
    readonly challengers: readonly { readonly model: string; readonly probability: number }[]
  }>
  /** The version that answers now. */
  version(): Promise<string>
}

export type Secrets = {
  hashPassword(password: string): Promise<string>
  /** Without a hash it takes as long and answers false, so that nobody learns what is missing. */
  verifyPassword(hash: string | undefined, password: string): Promise<boolean>
  /** Of a card: as for a password, and worth nothing without a secret outside of the database. */
  hashPin(pin: string): Promise<string>
  /** Without a hash it takes as long and answers false. */
  verifyPin(hash: string | undefined, pin: string): Promise<boolean>
  /** A name that gives nothing away, under which a unique value can be claimed. */
  claim(kind: string, value: string): string
  signAccess(claims: AccessClaims): Promise<string>
  /** The claims of a token that was signed here and has not expired. */
  verifyAccess(token: string): Promise<AccessClaims | undefined>
  randomToken(): string
  digest(token: string): string
}

export type AccessClaims = {
  readonly user: string
  /** Of the user's stream when this was signed: any later change to the user makes it void. */
  readonly userRevision: number
  readonly session: string
  readonly roles: readonly Role[]
  readonly audience: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

export type EntryIndex = {
  /** The book's revision that holds the entry; undefined when there is no such entry. */
  locate(book: string, entry: string): Promise<number | undefined>
}

/** What of a score an analyst begins with. */
export type Score = Pick<
  TransactionScored,
  'account' | 'counterparty' | 'amount' | 'asset' | 'booked_at' | 'probability' | 'decision'
>

export type ScoreIndex = {
  /** Undefined when the entry has no score. */
  find(book: string, entry: string): Promise<Score | undefined>
}

export type PaymentIndex = {
  /** Whether payments from or to the account wait to be decided about, or to be booked. */
  areWaiting(book: string, account: string): Promise<boolean>
}

/** Who stands at a machine, and with what. */
export type CardHolder = {
  readonly session: string
  readonly card: string
  readonly customer: string
  readonly book: string
  readonly account: string
}

/**
 * When each open card session was last used: kept beside the log, because an event for every key
 * that is pressed would drown the money. Tokens are known by their digests only.
 */
export type LiveCardSessions = {
  open(digest: string, holder: CardHolder, at: Date): Promise<void>
  /** Renews a session that is alive and says whose it is; undefined when it is not. */
  use(digest: string, at: Date): Promise<CardHolder | undefined>
  end(session: string): Promise<void>
  ofCard(card: string): Promise<readonly string[]>
  /** Those that nobody has used for too long. */
  expired(at: Date, limit: number): Promise<readonly CardHolder[]>
}
