import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Expected } from './expected.ts'

/** The server's default; counts the data of one append, in bytes. */
export const MAX_APPEND_BYTES = 1024 * 1024

/**
 * An error as EventStoreDB sends it: a status and trailers that name the exception. Trailers
 * must be ASCII, which is why stream names must be.
 */
function serviceError(
  code: status,
  details: string,
  trailers: Readonly<Record<string, string>> = {},
): ServiceError {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value)
  return Object.assign(new Error(details), { code, details, metadata })
}

export function streamDeleted(stream: string): ServiceError {
  return serviceError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  })
}

/** `actual` is -1 when there is no such stream. */
export function wrongExpectedVersion(
  stream: string,
  expected: Expected,
  actual: number,
): ServiceError {
  const version = expectedNumber(expected)
  return serviceError(
    status.FAILED_PRECONDITION,
    `Append failed due to WrongExpectedVersion. Stream: ${stream}, ` +
      `Expected version: ${version}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(version),
      'actual-version': String(actual),
    },
  )
}

function expectedNumber(expected: Expected): number {
  if (expected === 'any') return -2
  if (expected === 'no_stream') return -1
  return expected === 'stream_exists' ? -4 : expected
}

export function appendTooLarge(): ServiceError {
  return serviceError(
    status.INVALID_ARGUMENT,
    `Maximum Append Size of ${MAX_APPEND_BYTES} Exceeded.`,
    {
      exception: 'maximum-append-size-exceeded',
      'maximum-append-size': String(MAX_APPEND_BYTES),
    },
  )
}

export function missingMetadata(property: string): ServiceError {
  return serviceError(
    status.INVALID_ARGUMENT,
    `Required Metadata Property '${property}' is missing.`,
    {
      exception: 'missing-required-metadata-property',
      'required-metadata-properties': 'type,content-type',
    },
  )
}

export function notLeader(host: string, port: number): ServiceError {
  return serviceError(status.NOT_FOUND, `Leader is at ${host}:${port}.`, {
    exception: 'not-leader',
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  })
}

export function serverTimeout(): ServiceError {
  return serviceError(status.ABORTED, 'The operation timed out.')
}

export function unavailable(reason: string): ServiceError {
  return serviceError(status.UNAVAILABLE, reason)
}

export function invalidArgument(reason: string): ServiceError {
  return serviceError(status.INVALID_ARGUMENT, reason)
}

export function resourceExhausted(reason: string): ServiceError {
  return serviceError(status.RESOURCE_EXHAUSTED, reason)
}

/** Turns whatever was thrown into something that can be sent. */
export function asServiceError(error: unknown): ServiceError {
  if (error instanceof Error && 'code' in error && 'metadata' in error) return error as ServiceError
  const message = error instanceof Error ? error.message : String(error)
  return serviceError(status.UNKNOWN, message)
}
