import streams from '@eventstore/db-client/generated/streams_pb.js'
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js'
import { createAppendHandler, decodeAppendMessage } from './append.ts'
import { createBatchAppendHandler, decodeChunk } from './batch-append.ts'
import { createDeleteHandler } from './delete.ts'
import type { Faults } from './faults.ts'
import type { Log } from './log.ts'
import { createClusterInfo, supportedMethods } from './node-info.ts'
import { createReadHandler } from './read.ts'
import { decodeReadRequest } from './read-request.ts'

/** Loopback only: there is no TLS and no login here. */
const HOST = '127.0.0.1'
/** What EventStoreDB lets through in one message. */
const MAX_MESSAGE_BYTES = 17 * 1024 * 1024
/** How long calls that still run may take to end once the server closes. */
const CLOSE_MS = 1_000

export type EventStoreServer = {
  readonly port: number
  /** Ends every long call with UNAVAILABLE, as a lost connection would. */
  readonly cutStreams: () => void
  readonly close: () => Promise<void>
}

/** Listens on 127.0.0.1; port 0 takes a free one. Rejects when the port is taken. */
export async function startServer(
  log: Log,
  faults: Faults,
  port: number,
): Promise<EventStoreServer> {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  })
  const open = new Set<() => void>()
  const track = (end: () => void): (() => void) => {
    open.add(end)
    return () => void open.delete(end)
  }
  const cutStreams = (): void => {
    for (const end of open) end()
  }
  addStreams(server, log, faults, track)
  const node = { port: 0 }
  addNodeInfo(server, node)
  node.port = await listen(server, port)
  return { port: node.port, cutStreams, close: () => shutDown(server, cutStreams) }
}

function addStreams(
  server: Server,
  log: Log,
  faults: Faults,
  track: (end: () => void) => () => void,
): void {
  const path = (method: string) => `/event_store.client.streams.Streams/${method}`
  server.addService(
    {
      read: rpc(path('Read'), decodeReadRequest, 'server'),
      append: rpc(path('Append'), decodeAppendMessage, 'client'),
      batchAppend: rpc(path('BatchAppend'), decodeChunk, 'both'),
      delete: rpc(path('Delete'), streams.DeleteReq.deserializeBinary, 'none'),
      tombstone: rpc(path('Tombstone'), streams.TombstoneReq.deserializeBinary, 'none'),
    },
    {
      read: createReadHandler(log, faults, track) as handleServerStreamingCall<unknown, Buffer>,
      append: createAppendHandler(log, faults) as handleClientStreamingCall<unknown, Buffer>,
      batchAppend: createBatchAppendHandler(log, faults, track) as handleBidiStreamingCall<
        unknown,
        Buffer
      >,
      delete: createDeleteHandler(log.softDelete, faults) as handleUnaryCall<unknown, Buffer>,
      tombstone: createDeleteHandler(log.tombstone, faults) as handleUnaryCall<unknown, Buffer>,
    },
  )
}

function addNodeInfo(server: Server, node: { readonly port: number }): void {
  const clusterInfo = createClusterInfo(HOST)
  const empty = (): object => ({})
  server.addService(
    {
      features: rpc(
        '/event_store.client.server_features.ServerFeatures/GetSupportedMethods',
        empty,
        'none',
      ),
      gossip: rpc('/event_store.client.gossip.Gossip/Read', empty, 'none'),
    },
    {
      features: ((_call, answer) => answer(null, supportedMethods())) as handleUnaryCall<
        unknown,
        Buffer
      >,
      gossip: ((_call, answer) => answer(null, clusterInfo(node.port))) as handleUnaryCall<
        unknown,
        Buffer
      >,
    },
  )
}

/** A method whose answers are encoded by its handler. */
function rpc(
  path: string,
  decode: (bytes: Buffer) => unknown,
  streaming: 'none' | 'client' | 'server' | 'both',
): MethodDefinition<unknown, Buffer> {
  return {
    path,
    requestStream: streaming === 'client' || streaming === 'both',
    responseStream: streaming === 'server' || streaming === 'both',
    requestSerialize: () => {
      throw new Error(`${path} is only served here`)
    },
    requestDeserialize: decode,
    responseSerialize: (bytes) => bytes,
    responseDeserialize: (bytes) => bytes,
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${HOST}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error)
        reject(new Error(`the event store cannot listen on ${HOST}:${port}: ${error.message}`))
      else resolve(bound)
    })
  })
}

async function shutDown(server: Server, cutStreams: () => void): Promise<void> {
  cutStreams()
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, CLOSE_MS)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
