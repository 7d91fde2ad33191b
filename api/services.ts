import {
  type Command,
  type Context,
  execute,
  type PublicCommand,
  type Receipt,
} from '../commands/kernel.ts'
import type { Actor, CardHolder, Ports } from '../commands/ports.ts'
import type { Attachment, Upload } from '../domain/attachments.ts'
import { isRefusal } from '../domain/kernel.ts'
import type { AudienceName } from '../domain/sessions.ts'
import type { Freshness } from '../projections/freshness.ts'
import type { Query } from '../projections/kernel.ts'
import type { Database } from '../projections/table.ts'
import type { Readings } from './health.ts'
import type { KeptAnswers } from './kept_answers.ts'
import type { Traffic } from './metrics.ts'
import { ProblemError, problem, problemOf } from './problems.ts'
import type { Call } from './route.ts'
import type { Throttle } from './throttle.ts'

/** Who a request comes from, and how that is known. */
export type Identity = Actor & {
  readonly session?: string | undefined
  readonly expiresAt?: Date | undefined
  /** Who stands at a machine, with a card. */
  readonly card?: CardHolder | undefined
}

export type Logger = {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
  debug(facts: object, message: string): void
}

/** The files of compliance exports, and how far the one being made is. */
export type Exports = {
  progressOf(id: string): { stage: string; events: number; of: number } | undefined
  /** Undefined when the file is not on this machine. */
  open(id: string): Promise<ReadableStream<Uint8Array> | undefined>
}

/** Makes statements, and has their files. */
export type Statements = {
  /** Resolves when it is made or has failed; several who wait for one make it once. */
  make(statement: string): Promise<void>
  /** Between 0 and 1, of one that is being made. */
  progressOf(statement: string): number | undefined
  /** Undefined when the file is not on this machine. */
  open(file: string): Promise<ReadableStream<Uint8Array> | undefined>
}

/** Files of persons, sealed under their keys. */
export type Attachments = {
  /** Throws SubjectForgotten. */
  keep(subject: string, file: Upload): Promise<Attachment>
  /** Undefined when the person was forgotten or the file is not on this machine. */
  open(subject: string, attachment: string): Promise<Upload | undefined>
}

/** What is done in the background. */
export type TaskWork = {
  /** Does a task that was asked for, when its turn comes. */
  begin(task: string): void
  /** Of a task that is being done: in words, and between 0 and 1. */
  progressOf(task: string): { readonly stage: string; readonly done: number } | undefined
}

/** What the churn contract needs of the world beside. */
export type ChurnWork = {
  /** Keeps an uploaded table, up to a limit. Throws a problem when it is too large. */
  keepUpload(body: ReadableStream<Uint8Array> | null): Promise<string>
  /** Sends an alert to where alerts are sent, if anywhere. */
  deliver(customer: string, alert: number): void
}

/** What the HTTP side is given to work with. */
export type Wiring = {
  readonly ports: Ports
  readonly database: Database
  readonly freshness: Freshness
  readonly log: Logger
  /** Who a bearer token was given to, if it was given for this product. Throws a problem. */
  readonly authenticate: (header: string | undefined, audience: AudienceName) => Promise<Identity>
  readonly exports: Exports
  /** Parts that must answer before the server calls itself ready. */
  readonly checks: Readonly<Record<string, () => Promise<string>>>
  /** How the machine and the stores are doing this moment. */
  readonly readings: () => Promise<Readings>
  readonly traffic: () => Promise<Traffic>
  readonly bodyLimit_bytes: number
  /** Requests a minute for each client; 0: no limit. */
  readonly rateLimit: number
  /** Proxies of ours that add to X-Forwarded-For. */
  readonly trustedProxies: number
  readonly throttle: Throttle
  readonly answers: KeptAnswers
  /** Cookies are for https, however the request came here. */
  readonly secureCookies: boolean
  /** The log position of the newest event that this process has written. */
  readonly newestWrite: () => bigint
  readonly statements: Statements
  readonly attachments: Attachments
  readonly churn: ChurnWork
  readonly tasks: TaskWork
  readonly stopping: AbortSignal
}

export type Services = Wiring & {
  /** Runs a command for a call. Throws a problem when it is refused. */
  execute(command: Command, call: Call): Promise<Receipt<unknown>>
  /** Runs a command that nobody needs to be known for. Throws a problem when it is refused. */
  executePublic(command: PublicCommand, call: Call): Promise<Receipt<unknown>>
  /** Runs a query for a call, when the read models are fresh enough. Nothing found: a problem. */
  ask(query: Query, call: Call): Promise<unknown>
  receiptHeaders(receipt: Receipt<unknown>): Record<string, string>
}

const FRESHNESS_TIMEOUT_MS = 3000

const waitUntilFresh = async (wiring: Wiring, query: Query, call: Call): Promise<void> => {
  const { consistency } = call
  if (consistency === undefined) return
  const fresh = await wiring.freshness.waitFor(query.reads, consistency, FRESHNESS_TIMEOUT_MS)
  if (fresh) return
  const detail = `The read models have not reached ${consistency}; ask again in a second.`
  throw new ProblemError(problem('NOT_CAUGHT_UP', detail))
}

/**
 * The keys in a cursor are the one part of an input that no schema has seen. Those which Postgres
 * cannot read (class 22: data exception) came from another list, or from nobody.
 */
const isCursorFault = (error: unknown, input: unknown): boolean =>
  /^22/.test(String((error as { code?: unknown }).code)) &&
  (input as { cursor?: unknown }).cursor !== undefined

const contextOf = (call: Call): Context => ({
  actor: call.identity,
  at: call.at,
  correlation: call.requestId,
  traceparent: call.request.headers.get('traceparent')?.slice(0, 128),
  key: call.key,
  ifMatch: call.ifMatch,
  dryRun: call.dryRun,
})

export const createServices = (wiring: Wiring): Services => ({
  ...wiring,
  execute: async (command, call) => {
    const receipt = await execute(wiring.ports, command, call.input, contextOf(call))
    if (isRefusal(receipt)) throw new ProblemError(problemOf(receipt))
    return receipt
  },
  executePublic: async (command, call) => {
    const receipt = await command.run(wiring.ports, call.input, contextOf(call))
    if (isRefusal(receipt)) throw new ProblemError(problemOf(receipt))
    return receipt
  },
  ask: async (query, call) => {
    await waitUntilFresh(wiring, query, call)
    const asker = { id: call.identity.id, reach: call.reach, at: call.at }
    const answer = await query
      .run(wiring.database, call.input, asker, wiring.ports.vault)
      .catch((error: unknown) => {
        if (!isCursorFault(error, call.input)) throw error
        const detail = 'The cursor is not one that this list gave out.'
        throw new ProblemError(problem('BAD_CURSOR', detail))
      })
    if (answer === undefined) {
      throw new ProblemError(problem('RESOURCE_NOT_FOUND', 'There is nothing at this address.'))
    }
    return answer
  },
  receiptHeaders: ({ position, replayed, revision }) => ({
    ...(position && { 'Consistency-Token': position.commit.toString() }),
    ...(replayed && { 'Idempotent-Replayed': 'true' }),
    'Stream-Revision': String(revision),
  }),
})
