import { invalidArgument } from './errors.ts'

/** Printable ASCII: error trailers carry stream names and can carry nothing else. */
const STREAM_NAME = /^[\x20-\x7e]+$/
const LONGEST_NAME = 1_000

/** The name in a StreamIdentifier; throws INVALID_ARGUMENT when no stream can be called that. */
export function streamName(bytes: Uint8Array | undefined): string {
  const name = bytes ? Buffer.from(bytes).toString('utf8') : ''
  const fault = faultOfName(name)
  if (fault !== undefined) throw invalidArgument(fault)
  return name
}

/** Why a stream cannot have this name; undefined when it can. */
export function faultOfName(name: string): string | undefined {
  if (name === '') return 'a stream needs a name'
  if (!STREAM_NAME.test(name)) return 'stream names must be printable ASCII'
  if (name.length > LONGEST_NAME) return `stream names end at ${LONGEST_NAME} characters`
  if (name === '$$' || name.startsWith('$$$$')) return 'metadata streams have no metadata'
  return undefined
}
