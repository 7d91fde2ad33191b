import type { AppendReq } from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js'
import { answerLater, isIgnored } from './append-faults.ts'
import { assertServing } from './calls.ts'
import {
  appendTooLarge,
  asServiceError,
  invalidArgument,
  MAX_APPEND_BYTES,
  missingMetadata,
  serverTimeout,
  streamDeleted,
  unavailable,
} from './errors.ts'
import type { Expected } from './expected.ts'
import type { Faults } from './faults.ts'
import type { Log, Outcome } from './log.ts'
import { streamName } from './names.ts'
import { decodeProposed, type Proposed } from './record.ts'
import {
  bytesTag,
  cursor,
  hasMore,
  nested,
  numeric,
  readDelimited,
  readVarint,
  skip,
} from './wire.ts'

/** One message of the call: the options come first, then one event each. */
export type AppendMessage = { readonly options?: Uint8Array; readonly proposed?: Uint8Array }

/** Splits AppendReq{options=1, proposed_message=2} without decoding what it holds. */
export function decodeAppendMessage(bytes: Buffer): AppendMessage {
  const from = cursor(bytes)
  while (hasMore(from)) {
    const tag = readVarint(from)
    if (tag === bytesTag(1)) return { options: readDelimited(from) }
    if (tag === bytesTag(2)) return { proposed: readDelimited(from) }
    skip(from, tag)
  }
  return {}
}

type Call = ServerReadableStream<AppendMessage, Buffer>

/** Serves Streams/Append: one append per call, which a client uses when it sends credentials. */
export function createAppendHandler(log: Log, faults: Faults) {
  return (call: Call, answer: sendUnaryData<Buffer>): void => {
    const cancelled = new AbortController()
    call.once('cancelled', () => cancelled.abort())
    receive(call, log, faults).then(
      (response) => answerLater(faults, () => cancelled.signal.aborted || answer(null, response)),
      (error) => cancelled.signal.aborted || answer(asServiceError(error)),
    )
  }
}

async function receive(call: Call, log: Log, faults: Faults): Promise<Buffer> {
  assertServing(faults)
  let target: { stream: string; expected: Expected } | undefined
  const events: Proposed[] = []
  let bytes = 0
  for await (const message of call as AsyncIterable<AppendMessage>) {
    if (message.options) target = parseOptions(message.options)
    if (!message.proposed) continue
    if (!target) throw invalidArgument('an append begins with its options')
    const event = decodeProposed(message.proposed)
    if ('malformed' in event) {
      throw event.missing ? missingMetadata(event.missing) : invalidArgument(event.malformed)
    }
    bytes += event.data.length
    if (bytes > MAX_APPEND_BYTES) throw appendTooLarge()
    events.push(event)
  }
  if (!target) throw invalidArgument('an append begins with its options')
  if (isIgnored(faults)) return new Promise<never>(() => {})
  const deadline = call.getDeadline()
  await log.room()
  const outcome = await log.append({
    ...target,
    events,
    bytes,
    deadline: deadline instanceof Date ? deadline.getTime() : deadline,
  })
  return encodeOutcome(target.stream, target.expected, outcome)
}

function parseOptions(bytes: Uint8Array): { stream: string; expected: Expected } {
  const options = streams.AppendReq.Options.deserializeBinary(bytes)
  return {
    stream: streamName(options.getStreamIdentifier()?.getStreamName_asU8()),
    expected: parseExpected(options),
  }
}

type ExpectedOptions = Pick<
  AppendReq.Options,
  'hasRevision' | 'getRevision' | 'hasNoStream' | 'hasStreamExists'
>

/** The expected revision as Append, Delete and Tombstone send it. */
export function parseExpected(options: ExpectedOptions): Expected {
  if (options.hasRevision()) return Number(options.getRevision())
  if (options.hasNoStream()) return 'no_stream'
  return options.hasStreamExists() ? 'stream_exists' : 'any'
}

const EMPTY = Buffer.alloc(0)

/** AppendResp.Success{current_revision=1 | no_stream=2; position=3 | no_position=4}. */
export function encodeSuccess(outcome: Extract<Outcome, { kind: 'written' }>): Buffer[] {
  const { revision, position } = outcome
  return [
    revision < 0 ? nested(2, [EMPTY]) : numeric(1, revision),
    position === undefined
      ? nested(4, [EMPTY])
      : nested(3, [numeric(1, position), numeric(2, position)]),
  ]
}

const EXPECTED_FIELDS = { any: 9, stream_exists: 10, no_stream: 11 } as const

/** AppendResp{success=1 | wrong_expected_version=2}; throws every other outcome. */
function encodeOutcome(stream: string, expected: Expected, outcome: Outcome): Buffer {
  switch (outcome.kind) {
    case 'written':
      return nested(1, encodeSuccess(outcome))
    case 'conflict':
      return nested(2, [
        outcome.current < 0 ? nested(7, [EMPTY]) : numeric(6, outcome.current),
        typeof expected === 'number'
          ? numeric(8, expected)
          : nested(EXPECTED_FIELDS[expected], [EMPTY]),
      ])
    default:
      throw refusal(stream, outcome)
  }
}

/** The error that stands for an outcome which no payload can carry. */
export function refusal(
  stream: string,
  outcome: Exclude<Outcome, { kind: 'written' | 'conflict' }>,
) {
  if (outcome.kind === 'deleted') return streamDeleted(stream)
  return outcome.kind === 'timeout' ? serverTimeout() : unavailable(outcome.reason)
}
