import { randomUUID } from 'node:crypto'
import {
  type AnyEvent,
  type Decision,
  type Decoded,
  isRefusal,
  type Refusal,
  refuse,
} from '../domain/kernel.ts'
import type { Metadata, Position } from '../domain/log.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import { foldInto, type Resident, type Seen } from './resident.ts'

/** One request to a stream, with everything that time and chance had to add already in it. */
export type Attempt = {
  readonly decide: (state: unknown) => Decision<AnyEvent>
  readonly expect: 'new' | 'existing' | 'any'
  /** The refusal when it is there although it should be new, or missing although it should exist. */
  readonly otherwise: RefusalCode
  /** The stream's revision as the client knows it; absent: whatever it is. */
  readonly revision: number | undefined
  /** Its `command` names the request; with a `digest` beside it, a repetition is recognised. */
  readonly metadata: Metadata
  readonly at: Date
  readonly dryRun: boolean
}

export type Verdict =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'decided'; readonly events: readonly Decoded[] }
  | { readonly kind: 'seen'; readonly seen: Seen }
  | { readonly kind: 'dry_run'; readonly events: readonly Decoded[] }

/** Requests decided one upon another, to be appended together or not at all. */
export type Group = {
  readonly verdicts: readonly Verdict[]
  readonly events: readonly Decoded[]
  readonly undo: () => void
  readonly keep: () => void
}

/** Requests, and as a rule events, decided and appended together. */
export const MAX_GROUP = 512
/** Below the store's limit of 1,048,576 bytes an append. */
const MAX_BYTES = 1_000_000
const NOWHERE: Position = { commit: 0n, prepare: 0n }

const guard = (resident: Resident, attempt: Attempt, at: number): Refusal | undefined => {
  if (attempt.expect === 'new' && at >= 0) {
    return refuse(attempt.otherwise, `${resident.stream} exists already.`)
  }
  if (attempt.expect === 'existing' && at < 0) {
    return refuse(attempt.otherwise, `There is no ${resident.stream}.`)
  }
  if (attempt.revision !== undefined && attempt.revision !== at) {
    return refuse('REVISION_MISMATCH', `It is at revision ${at}, not ${attempt.revision}.`, {
      revision: at,
    })
  }
  return undefined
}

const seenBefore = (resident: Resident, { metadata, dryRun }: Attempt): Verdict | undefined => {
  const { command, digest } = metadata
  if (command === undefined || digest === undefined || dryRun) return undefined
  const seen = resident.seen.get(command)
  if (!seen) return undefined
  if (seen.digest === digest) return { kind: 'seen', seen }
  const detail = 'This idempotency key came with a different request before.'
  return { kind: 'refused', refusal: refuse('IDEMPOTENCY_KEY_REUSED', detail) }
}

const consider = (resident: Resident, attempt: Attempt, at: number): Verdict => {
  const seen = seenBefore(resident, attempt)
  if (seen) return seen
  const decision = guard(resident, attempt, at) ?? attempt.decide(resident.state)
  if (isRefusal(decision)) return { kind: 'refused', refusal: decision }
  const events = decision.map((event, index) => ({
    ...event,
    // New each time something is decided: the store takes the same id at the same revision for a
    // retry of the same append, and so it must never come from two deciders.
    id: randomUUID(),
    stream: resident.stream,
    revision: at + 1 + index,
    position: NOWHERE,
    metadata: attempt.metadata,
    recordedAt: attempt.at,
  }))
  return { kind: attempt.dryRun ? 'dry_run' : 'decided', events }
}

const sizeOf = (events: readonly Decoded[]): number =>
  events.reduce((bytes, event) => bytes + Buffer.byteLength(JSON.stringify(event.data)), 0)

/** Remembers where the resident stands, in a way that costs little when all goes well. */
const markPlace = (
  resident: Resident,
  attempts: readonly Attempt[],
): Pick<Group, 'undo' | 'keep'> => {
  const savepoint = resident.decider.savepoint?.(resident.state)
  const { state } = resident
  const seen = attempts.flatMap(({ metadata: { command, digest } }) =>
    command !== undefined && digest !== undefined
      ? [[command, resident.seen.get(command)] as const]
      : [],
  )
  const undo = (): void => {
    savepoint?.rollback()
    resident.state = state
    for (const [command, was] of seen) {
      if (was) resident.seen.set(command, was)
      else resident.seen.delete(command)
    }
  }
  return { undo, keep: () => savepoint?.keep() }
}

/**
 * Decides as many of the attempts as fit into one append, each upon the effects of those before
 * it. The resident's state runs ahead of the log until the group is kept or undone.
 */
export const decideGroup = (resident: Resident, attempts: readonly Attempt[]): Group => {
  const place = markPlace(resident, attempts)
  const verdicts: Verdict[] = []
  const events: Decoded[] = []
  let bytes = 0
  for (const attempt of attempts) {
    const verdict = consider(resident, attempt, resident.revision + events.length)
    if (verdict.kind === 'decided') {
      const size = sizeOf(verdict.events)
      if (size > MAX_BYTES) {
        const refusal = refuse('BATCH_TOO_LARGE', `It is ${size} bytes, at most ${MAX_BYTES} fit.`)
        verdicts.push({ kind: 'refused', refusal })
        continue
      }
      // What does not fit any more opens the next group.
      if (bytes + size > MAX_BYTES || events.length >= MAX_GROUP) break
      for (const event of verdict.events) foldInto(resident, event)
      events.push(...verdict.events)
      bytes += size
    }
    verdicts.push(verdict)
  }
  return { verdicts, events, ...place }
}
