import type { DeleteReq, TombstoneReq } from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { parseExpected, refusal } from './append.ts'
import { assertServing } from './calls.ts'
import { asServiceError, invalidArgument, wrongExpectedVersion } from './errors.ts'
import type { Expected } from './expected.ts'
import type { Faults } from './faults.ts'
import type { Outcome } from './log.ts'
import { streamName } from './names.ts'
import { nested, numeric } from './wire.ts'

type Call = ServerUnaryCall<DeleteReq | TombstoneReq, Buffer>
type Remove = (stream: string, expected: Expected) => Promise<Outcome>

/** Serves Streams/Delete and Streams/Tombstone, which differ only in what they write. */
export function createDeleteHandler(remove: Remove, faults: Faults) {
  return (call: Call, answer: sendUnaryData<Buffer>): void => {
    handle(call, remove, faults).then(
      (response) => answer(null, response),
      (error) => answer(asServiceError(error)),
    )
  }
}

/** DeleteResp and TombstoneResp{position=1{commit=1, prepare=2}}. */
async function handle(call: Call, remove: Remove, faults: Faults): Promise<Buffer> {
  assertServing(faults)
  const options = call.request.getOptions()
  if (!options) throw invalidArgument('a deletion needs options')
  const stream = streamName(options.getStreamIdentifier()?.getStreamName_asU8())
  const expected = parseExpected(options)
  const outcome = await remove(stream, expected)
  if (outcome.kind === 'conflict') throw wrongExpectedVersion(stream, expected, outcome.current)
  if (outcome.kind !== 'written') throw refusal(stream, outcome)
  const position = outcome.position ?? 0
  return nested(1, [numeric(1, position), numeric(2, position)])
}
