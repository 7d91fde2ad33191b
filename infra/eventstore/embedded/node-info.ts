import { randomUUID } from 'node:crypto'
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import features from '@eventstore/db-client/generated/serverfeatures_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'

/** Clients tell by the version what a server can do. */
const VERSION = '24.6.0'
const STREAMS = 'event_store.client.streams.streams'
const METHODS: readonly (readonly [method: string, features: readonly string[]])[] = [
  ['append', []],
  ['batchappend', []],
  ['read', ['position', 'events']],
  ['delete', []],
  ['tombstone', []],
]

/** What GetSupportedMethods answers: only what is served here. */
export function supportedMethods(): Buffer {
  const methods = METHODS.map(([name, list]) =>
    new features.SupportedMethod()
      .setMethodName(name)
      .setServiceName(STREAMS)
      .setFeaturesList([...list]),
  )
  return Buffer.from(
    new features.SupportedMethods()
      .setMethodsList(methods)
      .setEventStoreServerVersion(VERSION)
      .serializeBinary(),
  )
}

/** What gossip answers: a cluster of one, led by this node. */
export function createClusterInfo(host: string): (port: number) => Buffer {
  const instance = new shared.UUID().setString(randomUUID())
  return (port) => {
    const member = new gossip.MemberInfo()
      .setInstanceId(instance)
      .setTimeStamp(String(BigInt(Date.now()) * 10_000n))
      .setState(gossip.MemberInfo.VNodeState.LEADER)
      .setIsAlive(true)
      .setHttpEndPoint(new gossip.EndPoint().setAddress(host).setPort(port))
    return Buffer.from(new gossip.ClusterInfo().setMembersList([member]).serializeBinary())
  }
}
