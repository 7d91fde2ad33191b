import type { ResolvedEvent } from '@eventstore/db-client'
import type { Metadata, Position, Recorded } from '../../domain/log.ts'

/** The client's event in the log's own terms; undefined when a link leads nowhere. */
export function toRecorded(resolved: ResolvedEvent): Recorded | undefined {
  const { event } = resolved
  if (!event) return undefined
  return {
    id: event.id,
    stream: event.streamId,
    revision: Number(event.revision),
    position: event.position ?? positionOf(resolved.commitPosition),
    type: event.type,
    data: event.data,
    metadata: toMetadata(event.metadata),
    recordedAt: event.created,
  }
}

/** On servers since 20.10 the two halves of a position only differ inside old transactions. */
function positionOf(commit: bigint | undefined): Position {
  if (commit === undefined) throw new Error('the event store sent an event without its position')
  return { commit, prepare: commit }
}

/** Metadata that is not a flat map of strings was not written by us; the rest of it is dropped. */
function toMetadata(metadata: unknown): Metadata {
  if (typeof metadata !== 'object' || metadata === null || metadata instanceof Uint8Array) return {}
  const entries = Object.entries(metadata)
  return entries.every(([, value]) => typeof value === 'string')
    ? (metadata as Metadata)
    : Object.fromEntries(entries.filter(([, value]) => typeof value === 'string'))
}

/** Metadata of streams, tombstones, links, statistics: what the event store writes for itself. */
export function isSystemEvent(event: Recorded): boolean {
  return event.type.startsWith('$') || event.stream.startsWith('$')
}
