import { setTimeout as wait } from 'node:timers/promises'
import type { Ports } from '../../commands/ports.ts'
import { lookAtPreferences } from '../../commands/preferences.ts'
import { conversationEvents, type MessageSent, type Read } from '../../domain/conversations.ts'
import { decode } from '../../domain/kernel.ts'
import type { Position, Recorded } from '../../domain/log.ts'
import type { Log } from '../log.ts'

/** What those who are in a room hear of each other; users by their own ids. */
export type Heard =
  /** There is more to be read, in the read models from this log position on. */
  | { readonly what: 'moved'; readonly position: bigint }
  | { readonly what: 'read'; readonly by: string; readonly up_to: number }
  | { readonly what: 'typing'; readonly by: string }
  | { readonly what: 'presence'; readonly by: string; readonly online: boolean }

/** One open connection of a user in a room. */
export type Listener = {
  readonly user: string
  /** Whether others may know that he is there. */
  readonly isSeen: boolean
  readonly hear: (heard: Heard) => void
}

/** Connections of this process: more than that are refused. */
const MOST_LISTENERS = 10_000
const MOST_OF_ONE = 20

export type Hub = {
  readonly hasRoomFor: (user: string) => boolean
  /** Joins a conversation until the function that is returned is called. */
  readonly join: (conversation: string, listener: Listener) => () => void
  /** Tells everybody in a conversation but whom it comes from. */
  readonly tell: (conversation: string, heard: Heard) => void
  /** Tells everybody that there may be more to be read. */
  readonly wakeAll: () => void
  readonly isPresent: (user: string) => boolean
  /** Others who are there and let it be seen. */
  readonly seenIn: (conversation: string, by: string) => readonly string[]
  /** The newest log position that was heard of. */
  position: bigint
}

export const createHub = (): Hub => {
  const rooms = new Map<string, Set<Listener>>()
  const users = new Map<string, number>()
  let listeners = 0

  const count = (user: string, by: 1 | -1): void => {
    listeners += by
    const left = (users.get(user) ?? 0) + by
    if (left > 0) users.set(user, left)
    else users.delete(user)
  }
  const isThere = (conversation: string, user: string): boolean =>
    [...(rooms.get(conversation) ?? [])].some((one) => one.user === user && one.isSeen)

  const tell: Hub['tell'] = (conversation, heard) => {
    for (const { user, hear } of rooms.get(conversation) ?? []) {
      if (!('by' in heard) || heard.by !== user) hear(heard)
    }
  }
  const join: Hub['join'] = (conversation, listener) => {
    const { user, isSeen } = listener
    const wasThere = isThere(conversation, user)
    const room = rooms.get(conversation) ?? new Set()
    rooms.set(conversation, room.add(listener))
    count(user, 1)
    const isNews = () => isSeen && !wasThere
    if (isNews()) tell(conversation, { what: 'presence', by: user, online: true })
    return () => {
      if (!room.delete(listener)) return
      count(user, -1)
      if (room.size === 0) rooms.delete(conversation)
      if (!isSeen || isThere(conversation, user)) return
      tell(conversation, { what: 'presence', by: user, online: false })
    }
  }
  const hub: Hub = {
    join,
    tell,
    hasRoomFor: (user) => listeners < MOST_LISTENERS && (users.get(user) ?? 0) < MOST_OF_ONE,
    wakeAll: () => {
      const { position } = hub
      for (const conversation of rooms.keys()) tell(conversation, { what: 'moved', position })
    },
    isPresent: (user) => users.has(user),
    seenIn: (conversation, by) => {
      const there = [...(rooms.get(conversation) ?? [])].filter(({ isSeen }) => isSeen)
      return [...new Set(there.map(({ user }) => user))].filter((user) => user !== by)
    },
    position: 0n,
  }
  return hub
}

export type Following = {
  readonly ports: Pick<Ports, 'store' | 'engine'>
  readonly hub: Hub
  readonly log: Log
  readonly signal: AbortSignal
}

const RETRY_MS = 1000

const relay = async ({ hub, ports }: Following, event: Recorded): Promise<void> => {
  hub.position = event.position.commit
  const { type, data } = decode(conversationEvents, event)
  const { conversation } = data as MessageSent | Read
  if (type === 'ConversationMessageSent') {
    hub.tell(conversation, { what: 'moved', position: hub.position })
    return
  }
  const { reader, up_to } = data as Read
  const { read_receipts_enabled } = await lookAtPreferences(ports, reader)
  if (read_receipts_enabled) hub.tell(conversation, { what: 'read', by: reader, up_to })
}

/**
 * Tells a hub what the log says, one subscription for all its connections, until aborted. After an
 * interruption everybody looks for what he has missed.
 */
export const followConversations = async (options: Following): Promise<void> => {
  const { ports, hub, log, signal } = options
  const filter = { types: ['ConversationMessageSent', 'ConversationRead'] }
  let after: Position | 'end' = 'end'
  const listen = async (): Promise<void> => {
    for await (const item of ports.store.subscribe({ after, filter, signal })) {
      if (item.kind === 'caught_up') hub.wakeAll()
      else {
        after = item.event.position
        await relay(options, item.event)
      }
    }
  }
  while (!signal.aborted) {
    await listen().catch((error: unknown) => {
      if (!signal.aborted) log.error({ error: String(error) }, 'conversations cannot be followed')
    })
    await wait(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
}
