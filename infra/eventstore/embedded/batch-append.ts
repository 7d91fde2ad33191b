import type { BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { encodeSuccess } from './append.ts'
import { answerLater, isIgnored } from './append-faults.ts'
import { assertServing, drained, openCall } from './calls.ts'
import { MAX_APPEND_BYTES, resourceExhausted, unavailable } from './errors.ts'
import type { Expected } from './expected.ts'
import type { Faults } from './faults.ts'
import type { Log, Outcome } from './log.ts'
import { faultOfName } from './names.ts'
import { decodeProposed, type Proposed } from './record.ts'
import {
  bytesTag,
  cursor,
  delimited,
  hasMore,
  nested,
  numberTag,
  numeric,
  readDelimited,
  readVarint,
  skip,
  text,
} from './wire.ts'

/** One message of the call; an append may come in several, told apart by its correlation id. */
export type Chunk = {
  readonly correlation: Buffer
  readonly options: Buffer | undefined
  readonly proposed: readonly Buffer[]
  readonly isFinal: boolean
}

/** Splits BatchAppendReq{correlation_id=1, options=2, proposed_messages=3, is_final=4}. */
export function decodeChunk(bytes: Buffer): Chunk {
  const from = cursor(bytes)
  const proposed: Buffer[] = []
  let correlation: Buffer = EMPTY
  let options: Buffer | undefined
  let isFinal = false
  while (hasMore(from)) {
    const tag = readVarint(from)
    if (tag === bytesTag(1)) correlation = readDelimited(from)
    else if (tag === bytesTag(2)) options = readDelimited(from)
    else if (tag === bytesTag(3)) proposed.push(readDelimited(from))
    else if (tag === numberTag(4)) isFinal = readVarint(from) !== 0
    else skip(from, tag)
  }
  return { correlation, options, proposed, isFinal }
}

/** An append of which some chunks have come. Once answered, the rest of it is ignored. */
type Pending = {
  readonly correlation: Buffer
  readonly stream: string
  readonly expected: Expected
  readonly deadline: number
  readonly events: Proposed[]
  bytes: number
  isAnswered: boolean
}

type Call = ServerDuplexStream<Chunk, Buffer>

/** Keeps a client that never finishes its appends from filling the memory. */
const MAX_UNFINISHED = 10_000
const MAX_UNFINISHED_BYTES = 64 * 1024 * 1024

/** Serves Streams/BatchAppend: one long call that carries all the appends of a client. */
export function createBatchAppendHandler(
  log: Log,
  faults: Faults,
  track: (end: () => void) => () => void,
): (call: Call) => void {
  return (call) => {
    const { signal, fail, finish, untrack } = openCall(call, track)
    const answer = (pending: Pending, body: Buffer): void => {
      pending.isAnswered = true
      if (!signal.aborted) call.write(encodeAnswer(pending, body))
    }
    const commit = async (pending: Pending): Promise<void> => {
      const outcome = await log.append(pending)
      if (outcome.kind === 'unavailable') fail(unavailable(outcome.reason))
      else answerLater(faults, () => answer(pending, encodeOutcome(pending, outcome)))
    }
    void receive(call, signal, { log, faults, commit, answer }).then(finish, fail).finally(untrack)
  }
}

type Receiving = {
  readonly log: Log
  readonly faults: Faults
  readonly commit: (pending: Pending) => Promise<void>
  readonly answer: (pending: Pending, body: Buffer) => void
}

async function receive(call: Call, signal: AbortSignal, on: Receiving): Promise<void> {
  assertServing(on.faults)
  const unfinished = new Map<string, Pending>()
  let unfinishedBytes = 0
  const committing = new Set<Promise<void>>()
  for await (const chunk of call as AsyncIterable<Chunk>) {
    assertServing(on.faults)
    const key = chunk.correlation.toString('latin1')
    const append = unfinished.get(key) ?? begin(chunk)
    const before = append.bytes
    const refusal = append.isAnswered ? undefined : take(append, chunk)
    if (refusal) on.answer(append, refusal)
    if (chunk.isFinal) {
      unfinished.delete(key)
      unfinishedBytes -= before
      if (!append.isAnswered && !isIgnored(on.faults)) {
        const done: Promise<void> = on.commit(append).finally(() => committing.delete(done))
        committing.add(done)
      }
    } else {
      unfinished.set(key, append)
      unfinishedBytes += append.bytes - before
    }
    if (unfinished.size > MAX_UNFINISHED || unfinishedBytes > MAX_UNFINISHED_BYTES) {
      throw resourceExhausted('too many unfinished appends on this call')
    }
    await on.log.room()
    if (call.writableNeedDrain) await drained(call, signal)
  }
  await Promise.all(committing)
}

function begin(chunk: Chunk): Pending {
  const options = chunk.options && streams.BatchAppendReq.Options.deserializeBinary(chunk.options)
  const name = options?.getStreamIdentifier()?.getStreamName_asU8()
  const deadline = options?.getDeadline()
  return {
    correlation: chunk.correlation,
    stream: name ? Buffer.from(name).toString('utf8') : '',
    expected: options ? parseExpected(options) : 'any',
    deadline: deadline
      ? deadline.getSeconds() * 1000 + deadline.getNanos() / 1e6
      : Number.POSITIVE_INFINITY,
    events: [],
    bytes: 0,
    isAnswered: false,
  }
}

function parseExpected(options: BatchAppendReq.Options): Expected {
  if (options.hasStreamPosition()) return Number(options.getStreamPosition())
  if (options.hasNoStream()) return 'no_stream'
  return options.hasStreamExists() ? 'stream_exists' : 'any'
}

/** Adds a chunk's events to their append; returns the answer when it must be refused now. */
function take(append: Pending, chunk: Chunk): Buffer | undefined {
  const fault = faultOfName(append.stream)
  if (fault !== undefined) return encodeError(CODES.invalid, fault, 'BadRequest', text(1, fault))
  if (append.deadline <= Date.now()) return TIMEOUT
  for (const bytes of chunk.proposed) {
    const event = decodeProposed(bytes)
    if ('malformed' in event) {
      return encodeError(CODES.invalid, event.malformed, 'BadRequest', text(1, event.malformed))
    }
    append.events.push(event)
    append.bytes += event.data.length
  }
  return append.bytes > MAX_APPEND_BYTES ? TOO_LARGE : undefined
}

const EMPTY = Buffer.alloc(0)

/** The numbers of google.rpc.Code that EventStoreDB puts into a batch's errors. */
const CODES = { invalid: 3, timeout: 4, deleted: 5, conflict: 6 } as const

const TIMEOUT = encodeError(CODES.timeout, 'Timeout', 'Timeout', EMPTY)
const TOO_LARGE = encodeError(
  CODES.invalid,
  `Maximum Append Size of ${MAX_APPEND_BYTES} Exceeded.`,
  'MaximumAppendSizeExceeded',
  numeric(1, MAX_APPEND_BYTES),
)

/** BatchAppendResp.error=2, a google.rpc.Status{code=1, message=2, details=3 Any}. */
function encodeError(code: number, message: string, type: string, value: Uint8Array): Buffer {
  const any = [text(1, `type.googleapis.com/event_store.client.${type}`), delimited(2, value)]
  return nested(2, [numeric(1, code), text(2, message), nested(3, any)])
}

function encodeOutcome(
  append: Pending,
  outcome: Exclude<Outcome, { kind: 'unavailable' }>,
): Buffer {
  switch (outcome.kind) {
    case 'written':
      return nested(3, encodeSuccess(outcome))
    case 'conflict':
      return encodeConflict(append.expected, outcome.current)
    case 'deleted': {
      const message = `Event stream '${append.stream}' is deleted.`
      const identifier = nested(1, [text(3, append.stream)])
      return encodeError(CODES.deleted, message, 'StreamDeleted', identifier)
    }
    case 'timeout':
      return TIMEOUT
  }
}

const EXPECTED_FIELDS = { any: 4, stream_exists: 5, no_stream: 6 } as const

/** WrongExpectedVersion{current 1 | no stream 2; expected position 3 | any 4 | exists 5 | none 6}. */
function encodeConflict(expected: Expected, current: number): Buffer {
  const value = Buffer.concat([
    current < 0 ? nested(2, [EMPTY]) : numeric(1, current),
    typeof expected === 'number'
      ? numeric(3, expected)
      : nested(EXPECTED_FIELDS[expected], [EMPTY]),
  ])
  return encodeError(CODES.conflict, 'Wrong Expected Version', 'WrongExpectedVersion', value)
}

/** BatchAppendResp{correlation_id=1, error=2 | success=3, stream_identifier=4}. */
function encodeAnswer(append: Pending, body: Buffer): Buffer {
  const correlation = delimited(1, append.correlation)
  return Buffer.concat([correlation, body, nested(4, [text(3, append.stream)])])
}
