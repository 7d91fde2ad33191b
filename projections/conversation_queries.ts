import { z } from 'zod'
import { ConversationKind } from '../domain/conversations.ts'
import { Identifier } from '../domain/ledger/events.ts'
import type { Role } from '../domain/permissions.ts'
import { shownSince } from '../domain/preferences.ts'
import type { Vault } from '../domain/vault.ts'
import { type Asker, query } from './kernel.ts'
import type { NumberedPage } from './paging.ts'
import { allowsSql, preferencesOf } from './preferences.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database } from './table.ts'
import { openTexts } from './texts.ts'

export type MemberView = {
  readonly user: string
  /** Null for who was registered before there were such numbers. */
  readonly number: number | null
  /** Null once he has been forgotten. */
  readonly name: string | null
  readonly roles: readonly Role[]
  /** When he last wrote or read something here; null: never, or he does not want it seen. */
  readonly last_seen: Date | null
  /** Whether others may know that he is there. */
  readonly is_seen: boolean
}

export type ConversationView = {
  readonly conversation: string
  readonly number: number
  readonly kind: ConversationKind
  /** Null once whoever opened it has been forgotten. */
  readonly title: string | null
  readonly members: readonly MemberView[]
  /** What the newest message that is shown says; null: there is none, or its sender is forgotten. */
  readonly last_message: string | null
  readonly unread: number
  /** Of the newest message, too old for the asker or not; 0: there is none. */
  readonly last_sequence: number
  readonly opened_at: Date
  readonly moved_at: Date
}

type Stored = Omit<ConversationView, 'members' | 'number' | 'unread'> & {
  readonly number: string
  readonly unread: string
  readonly title: string
  readonly opened_by: string
  readonly sender: string | null
  readonly content: string | null
}

type StoredMember = Omit<MemberView, 'name' | 'number'> & {
  readonly conversation: string
  readonly number: string | null
  readonly profile: string | null
}

/** In the order of their numbers. */
const membersOf = async (
  sql: Database,
  vault: Vault,
  ids: readonly string[],
  { id }: Asker,
): Promise<ReadonlyMap<string, MemberView[]>> => {
  const { rows } = await sql.query<StoredMember>(
    `select m.conversation, m.member as "user", u.number, u.profile, coalesce(u.roles, '[]') as roles,
       case when m.member = $2 or ${allowsSql('m.member', 'last_seen_visible')}
         then m.seen_at end as last_seen, ${allowsSql('m.member', 'last_seen_visible')} as is_seen
     from conversation_members m left join users u on u.id = m.member
     where m.conversation = any($1) order by u.number, m.member`,
    [ids, id],
  )
  const known = rows.filter(({ profile }) => profile !== null)
  const profiles = known.map(({ user, profile }) => ({ subject: user, sealed: profile ?? '' }))
  const opened = await vault.openAll(profiles)
  const names = new Map(known.map(({ user }, index) => [user, opened[index]?.name ?? null]))
  const views = rows.map(({ profile: _sealed, number, ...member }) => ({
    ...member,
    number: number === null ? null : Number(number),
    name: names.get(member.user) ?? null,
  }))
  return Map.groupBy(views, ({ conversation }) => conversation)
}

const from = `from conversations c
  join conversation_members me on me.conversation = c.conversation`

/** What the asker may see of them: those that he is a member of, with what is not too old for him. */
const selectConversations = async (
  sql: Database,
  vault: Vault,
  asker: Asker,
  where: Conditions,
  rest: string,
): Promise<ConversationView[]> => {
  const since = where.value(shownSince(await preferencesOf(sql, asker.id), asker.at))
  const shown = `(${since}::timestamptz is null or x.sent_at >= ${since})`
  const { rows } = await sql.query<Stored>(
    `select c.conversation, c.number, c.kind, c.title, c.opened_by, c.opened_at, c.moved_at,
       c.last_sequence, x.sender, x.content,
       (select count(*) from conversation_messages x where x.conversation = c.conversation
          and x.sequence > me.read_up_to and x.sender <> me.member and ${shown}) as unread
     ${from} left join conversation_messages x on x.conversation = c.conversation
       and x.sequence = c.last_sequence and ${shown}${where.where()} ${rest}`,
    where.values,
  )
  const texts = rows.flatMap(({ opened_by, title, sender, content }) => [
    { subject: opened_by, sealed: title },
    { subject: sender ?? '', sealed: content ?? '' },
  ])
  const opened = await openTexts(vault, texts)
  const ids = rows.map(({ conversation }) => conversation)
  const members = await membersOf(sql, vault, ids, asker)
  return rows.map(({ sender, content: _said, opened_by: _by, ...row }, index) => ({
    ...row,
    ...{ number: Number(row.number), unread: Number(row.unread) },
    title: opened[2 * index] ?? null,
    members: members.get(row.conversation) ?? [],
    last_message: sender === null ? null : (opened[2 * index + 1] ?? null),
  }))
}

const reads = ['conversations', 'users', 'preferences']
const Kinds = z.array(ConversationKind)

/** Only those of which the asker is a member are there, whoever he is. */
const ownOf = ({ id }: Asker, kinds: readonly ConversationKind[]): Conditions => {
  const where = conditions()
  where.add('me.member = ?', id)
  where.add('c.kind = any(?)', kinds)
  return where
}

/** By its own id, or by the number that contracts with integer ids call it. */
export const findConversation = query({
  name: 'conversations.find',
  permission: 'messages:use',
  input: z.union([
    z.strictObject({ kinds: Kinds, conversation: Identifier }),
    z.strictObject({ kinds: Kinds, number: z.int() }),
  ]),
  reads,
  run: async (sql, input, asker, vault) => {
    const where = ownOf(asker, input.kinds)
    if ('number' in input) where.add('c.number = ?', input.number)
    else where.add('c.conversation = ?', input.conversation)
    return (await selectConversations(sql, vault, asker, where, 'limit 1'))[0]
  },
})

/** A numbered page, those in which something was said last first. */
export const pageConversations = query({
  name: 'conversations.page',
  permission: 'messages:use',
  input: z.strictObject({
    ...{ kinds: Kinds, page: z.int().min(1), page_size: z.int().min(1).max(100) },
  }),
  reads,
  run: async (sql, { kinds, page, page_size }, asker, vault) => {
    const where = ownOf(asker, kinds)
    const { rows } = await sql.query<{ count: string }>(
      `select count(*) as count ${from}${where.where()}`,
      where.values,
    )
    const skipped = (page - 1) * page_size
    const rest = `order by c.moved_at desc, c.number desc limit ${page_size} offset ${skipped}`
    const results = await selectConversations(sql, vault, asker, where, rest)
    return {
      count: Number(rows[0]?.count ?? 0),
      results,
    } satisfies NumberedPage<ConversationView>
  },
})
