/** Rooms and threads of a savings bank: for tests of the coastal contract. */
import { z } from 'zod'
import { importConversation } from '../../commands/conversations.ts'
import { Conversation, type ConversationState } from '../../domain/conversations.ts'
import type { Sowing } from './coastal.ts'
import { missing, Ref } from './coastal_money.ts'
import type { Refs } from './machine.ts'

/** `members`: refs of users. */
export const GivenRoom = z.strictObject({ ref: Ref, members: z.array(Ref).max(100) })
export const GivenThread = z.strictObject({ ref: Ref, participants: z.array(Ref).max(100) })

type Given = {
  readonly rooms: readonly z.infer<typeof GivenRoom>[]
  readonly threads: readonly z.infer<typeof GivenThread>[]
}

/** Brings them about through commands, one after another. Throws SeedRefused. */
export const seedConversations = async (
  { ports, ask, at }: Sowing,
  { rooms, threads }: Given,
  refs: Refs,
): Promise<Refs> => {
  const userOf = (ref: string): string => {
    const user = refs[ref]?.user
    if (user === undefined) throw missing('rooms', ref)
    return String(user)
  }
  const wanted = [
    ...rooms.map(({ ref, members }) => {
      const kind = members.length === 2 ? ('direct' as const) : ('group' as const)
      return { ref, kind, members }
    }),
    ...threads.map(({ ref, participants }) => ({
      ...{ ref, kind: 'thread' as const, members: participants },
    })),
  ]
  const seeded: Record<string, Refs[string]> = {}
  for (const { ref, kind, members } of wanted) {
    const asked = { kind, members: members.map(userOf) }
    const { conversation } = await ask(undefined, importConversation, asked, at)
    const { state } = await ports.engine.look(
      Conversation,
      `${Conversation.category}-${conversation}`,
    )
    seeded[ref] = { id: (state as ConversationState).opened?.number ?? 0 }
  }
  return seeded
}
