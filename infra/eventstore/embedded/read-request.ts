import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { invalidArgument } from './errors.ts'
import { streamName } from './names.ts'
import type { Row } from './reader.ts'

/** A place to read from: `start` and `end` include nothing and everything. */
type From = number | 'start' | 'end'

export type Filter = {
  readonly matches: (row: Row) => boolean
  /** Sends a checkpoint after so many events have been looked at. */
  readonly checkpointInterval: number
}

export type ReadRequest = {
  /** Undefined: the whole log. */
  readonly stream: string | undefined
  readonly from: From
  readonly backwards: boolean
  readonly resolveLinks: boolean
  readonly limit: number
  readonly isSubscription: boolean
  readonly filter: Filter | undefined
}

const DEFAULT_SEARCH_WINDOW = 32
const BACKWARDS = 1

/** Throws INVALID_ARGUMENT when the request cannot be served. */
export function parseReadRequest(request: ReadReq): ReadRequest {
  const options = request.getOptions()
  if (!options) throw invalidArgument('a read needs options')
  if (!options.getUuidOption()?.hasString()) {
    throw invalidArgument('event ids are answered as strings: set uuid_option.string')
  }
  const isSubscription = options.hasSubscription()
  const backwards = Number(options.getReadDirection()) === BACKWARDS
  if (isSubscription && backwards) throw invalidArgument('subscriptions only go forwards')
  return {
    ...parseSource(options),
    backwards,
    resolveLinks: options.getResolveLinks(),
    limit: isSubscription ? Number.MAX_SAFE_INTEGER : bounded(options.getCount()),
    isSubscription,
    filter: parseFilter(options),
  }
}

function parseSource(options: ReadReq.Options): { stream: string | undefined; from: From } {
  const stream = options.getStream()
  if (stream) {
    const from = stream.hasEnd() ? 'end' : stream.hasRevision() ? stream.getRevision() : 'start'
    return {
      stream: streamName(stream.getStreamIdentifier()?.getStreamName_asU8()),
      from: parsePlace(from),
    }
  }
  const all = options.getAll()
  if (!all) throw invalidArgument('a read needs a stream, or all')
  const position = all.getPosition()?.getCommitPosition()
  return { stream: undefined, from: parsePlace(all.hasEnd() ? 'end' : (position ?? 'start')) }
}

function parsePlace(place: string): From {
  return place === 'start' || place === 'end' ? place : bounded(place)
}

/** The wire has 64 bits; nothing in the log lies beyond the largest safe integer. */
function bounded(decimal: string): number {
  return Math.min(Number(decimal), Number.MAX_SAFE_INTEGER)
}

function parseFilter(options: ReadReq.Options): Filter | undefined {
  const filter = options.getFilter()
  if (!filter) return undefined
  const onType = filter.getEventType()
  const expression = onType ?? filter.getStreamIdentifier()
  if (!expression) throw invalidArgument('a filter looks at event types or at stream names')
  const test = parseExpression(expression.getRegex(), expression.getPrefixList())
  const window = filter.hasMax() ? filter.getMax() : DEFAULT_SEARCH_WINDOW
  return {
    matches: onType ? (row) => test(row.type) : (row) => test(row.stream),
    checkpointInterval: Math.max(1, window * Math.max(1, filter.getCheckpointintervalmultiplier())),
  }
}

function parseExpression(regex: string, prefixes: readonly string[]): (text: string) => boolean {
  if (regex === '') return (text) => prefixes.some((prefix) => text.startsWith(prefix))
  try {
    const pattern = new RegExp(regex)
    return (text) => pattern.test(text)
  } catch {
    throw invalidArgument(`not a regular expression: ${regex}`)
  }
}

export function decodeReadRequest(bytes: Buffer): ReadReq {
  return streams.ReadReq.deserializeBinary(bytes)
}
