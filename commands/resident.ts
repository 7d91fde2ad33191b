import { type Decider, type Decoded, decode, fold } from '../domain/kernel.ts'
import type { EventStore, Position } from '../domain/log.ts'

/** Snapshots are a cache: any of them may be gone, and the log will do. */
export type Snapshots = {
  load(stream: string, version: number): Promise<{ revision: number; saved: unknown } | undefined>
  save(stream: string, version: number, revision: number, saved: unknown): Promise<void>
}

/** A request that came with an idempotency key, and the events it led to. */
export type Seen = { readonly digest: string; readonly revision: number; readonly count: number }

/** A stream's state, kept in memory by its one writer here. */
export type Resident = {
  readonly stream: string
  readonly decider: Decider
  readonly store: EventStore
  readonly snapshots: Snapshots
  state: unknown
  /** Of the last event folded; -1: the stream does not exist. */
  revision: number
  position: Position | undefined
  /** By request id. */
  seen: Map<string, Seen>
  /** Somebody else may have written since. */
  stale: boolean
  snapshotRevision: number
}

const MAX_REMEMBERED_KEYS = 1_000_000
const SNAPSHOT_EVERY = 20_000

export const createResident = (
  stream: string,
  decider: Decider,
  store: EventStore,
  snapshots: Snapshots,
): Resident => ({
  stream,
  decider,
  store,
  snapshots,
  state: decider.initial(),
  revision: -1,
  position: undefined,
  seen: new Map(),
  stale: true,
  snapshotRevision: -1,
})

const rememberKey = (resident: Resident, event: Decoded): void => {
  const { digest, command } = event.metadata
  if (digest === undefined || command === undefined) return
  const known = resident.seen.get(command)
  resident.seen.set(command, {
    digest,
    revision: known?.revision ?? event.revision,
    count: (known?.count ?? 0) + 1,
  })
  if (resident.seen.size > MAX_REMEMBERED_KEYS) {
    const [oldest] = resident.seen.keys()
    if (oldest !== undefined) resident.seen.delete(oldest)
  }
}

export const foldInto = (resident: Resident, event: Decoded): void => {
  resident.state = fold(resident.decider, resident.state, event, event.revision)
  rememberKey(resident, event)
}

type SavedResident = { readonly state: unknown; readonly seen: [string, Seen][] }

const loadSnapshot = async (resident: Resident): Promise<void> => {
  const { snapshot } = resident.decider
  if (!snapshot || resident.revision >= 0) return
  const found = await resident.snapshots.load(resident.stream, snapshot.version)
  if (!found) return
  const saved = found.saved as SavedResident
  resident.state = snapshot.load(saved.state)
  resident.seen = new Map(saved.seen)
  resident.revision = found.revision
  resident.snapshotRevision = found.revision
}

/** Folds what the log has beyond the resident's revision. Answers whether there was anything. */
export const readOn = async (resident: Resident): Promise<boolean> => {
  await loadSnapshot(resident)
  const before = resident.revision
  const { stream, store, decider } = resident
  for await (const recorded of store.readStream(stream, { from: before + 1 })) {
    if (recorded.revision !== resident.revision + 1) {
      throw new Error(`${stream} jumps from ${resident.revision} to ${recorded.revision}`)
    }
    foldInto(resident, decode(decider.schemas, recorded))
    resident.revision = recorded.revision
    resident.position = recorded.position
  }
  resident.stale = false
  return resident.revision !== before
}

/** Keeps the state aside when enough has happened since the last time, or when told to. */
export const saveSnapshot = async (resident: Resident, force = false): Promise<void> => {
  const { snapshot } = resident.decider
  const news = resident.revision - resident.snapshotRevision
  if (!snapshot || resident.stale || news < (force ? 1 : SNAPSHOT_EVERY)) return
  resident.snapshotRevision = resident.revision
  const saved: SavedResident = { state: snapshot.save(resident.state), seen: [...resident.seen] }
  await resident.snapshots.save(resident.stream, snapshot.version, resident.revision, saved)
}
