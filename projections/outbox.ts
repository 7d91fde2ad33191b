import { z } from 'zod'
import { Channel, outboxEvents, type Way } from '../domain/outbox.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { conditions } from './select.ts'
import type { Table } from './table.ts'

const messages: Table = {
  name: 'outbox_messages',
  columns: {
    message: 'text',
    subject: 'text',
    channel: 'text',
    purpose: 'text',
    sealed: 'text',
    status: 'text',
    way: 'text',
    tries: 'integer',
    error: 'text',
    queued_at: 'timestamptz',
    expires_at: 'timestamptz',
    settled_at: 'timestamptz',
  },
  key: ['message'],
  indexes: [['queued_at', 'message'], { columns: ['queued_at'], where: "status = 'queued'" }],
}

export const outboxBook = projection({
  name: 'outbox',
  version: 1,
  tables: [messages],
  schemas: outboxEvents,
  on: {
    OutboxMessageQueued: ({ data }, rows) =>
      rows.put(messages, {
        ...data,
        ...{ status: 'queued', way: null, tries: 0, error: null, settled_at: null },
      }),
    OutboxMessageDelivered: ({ data: { message, way, tries, delivered_at } }, rows) =>
      rows.patch(
        messages,
        { message },
        { status: 'delivered', way, tries, settled_at: delivered_at },
      ),
    OutboxMessageFailed: ({ data: { message, tries, error, failed_at } }, rows) =>
      rows.patch(messages, { message }, { status: 'failed', tries, error, settled_at: failed_at }),
  },
})

const statuses = ['queued', 'delivered', 'failed'] as const

type Stored = {
  message: string
  subject: string
  channel: Channel
  purpose: string
  sealed: string
  status: (typeof statuses)[number]
  way: Way | null
  tries: number
  error: string | null
  queued_at: Date
  expires_at: Date | null
  settled_at: Date | null
}

/**
 * What a message says is null unless it was left here for want of another way: who gets the others
 * reads them himself, and nobody else. It is null too once the person has been forgotten.
 */
export type OutboxMessageView = Omit<Stored, 'sealed'> & {
  readonly recipient: string | null
  readonly title: string | null
  readonly body: string | null
  readonly secret: string | null
}

/** Newest first. */
export const listOutbox = query({
  name: 'outbox.list',
  permission: 'outbox:read',
  input: z.strictObject({
    status: z.enum(statuses).optional(),
    channel: Channel.optional(),
    subject: z.string().max(64).optional(),
    ...paging,
  }),
  reads: ['outbox'],
  run: async (sql, { status, channel, subject, cursor, limit }, _asker, vault) => {
    const where = conditions()
    const after = decodeCursor(cursor, 2)
    if (after) where.add('(queued_at, message) < (?::timestamptz, ?)', ...after)
    where.addIf('status = ?', status)
    where.addIf('channel = ?', channel)
    where.addIf('subject = ?', subject)
    const { rows } = await sql.query<Stored>(
      `select message, subject, channel, purpose, sealed, status, way, tries, error, queued_at,
         expires_at, settled_at
       from outbox_messages${where.where()}
       order by queued_at desc, message desc limit ${limit + 1}`,
      where.values,
    )
    const left = rows.filter(({ way }) => way === 'local')
    const opened = await vault.openAll(left)
    const texts = new Map(left.map(({ message }, index) => [message, opened[index]]))
    const shown = rows.map(({ sealed: _sealed, ...row }): OutboxMessageView => {
      const {
        recipient = null,
        title = null,
        body = null,
        secret = null,
      } = texts.get(row.message) ?? {}
      return { ...row, recipient, title, body, secret }
    })
    return pageOf(shown, limit, ({ queued_at, message }) => [queued_at.toISOString(), message])
  },
})
