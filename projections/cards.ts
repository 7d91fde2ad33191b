import { z } from 'zod'
import { cardEvents } from '../domain/cards.ts'
import { Identifier } from '../domain/ledger/events.ts'
import type { Vault } from '../domain/vault.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'

/** Only cards that were issued: guesses at other numbers leave no row. */
const cards: Table = {
  name: 'cards',
  columns: {
    card: 'text',
    customer: 'text',
    book: 'text',
    account: 'text',
    number: 'text',
    status: 'text',
    status_reason: 'text',
    locked_until: 'timestamptz',
    issued_at: 'timestamptz',
  },
  key: ['card'],
  indexes: [['customer', 'card']],
}

const free = { locked_until: null }

export const cardBook = projection({
  name: 'cards',
  version: 1,
  tables: [cards],
  schemas: cardEvents,
  on: {
    CardIssued: ({ data: { pin_hash: _secret, ...card } }, rows) =>
      rows.put(cards, { ...card, ...free, status: 'active', status_reason: null }),
    CardPinFailed: ({ data: { card, locked_until } }, rows) =>
      rows.patch(cards, { card }, { locked_until }),
    CardPinCleared: ({ data: { card } }, rows) => rows.patch(cards, { card }, free),
    CardPinChanged: ({ data: { card } }, rows) => rows.patch(cards, { card }, free),
    CardBlocked: ({ data: { card, reason } }, rows) =>
      rows.patch(cards, { card }, { status: 'blocked', status_reason: reason }),
    CardUnblocked: ({ data: { card, reason } }, rows) =>
      rows.patch(cards, { card }, { ...free, status: 'active', status_reason: reason }),
  },
})

/** The number is null once its holder has been forgotten; only its last four are shown. */
export type CardView = {
  card: string
  customer: string
  book: string
  account: string
  last_four: string | null
  status: 'active' | 'locked' | 'blocked'
  status_reason: string | null
  locked_until: Date | null
  issued_at: Date
}

const selectCards = async (
  sql: Database,
  vault: Vault,
  where: Conditions,
  at: Date,
  limit: number,
): Promise<CardView[]> => {
  const now = `${where.value(at)}::timestamptz`
  const { rows } = await sql.query<Omit<CardView, 'last_four'> & { number: string }>(
    `select card, customer, book, account, number, status_reason, issued_at,
       case when locked_until > ${now} then locked_until end as locked_until,
       case when status = 'active' and locked_until > ${now} then 'locked' else status end as status
     from cards${where.where()} order by card limit ${limit}`,
    where.values,
  )
  const opened = await vault.openAll(
    rows.map(({ customer, number }) => ({ subject: customer, sealed: number })),
  )
  return rows.map(({ number: _sealed, ...card }, index) => ({
    ...card,
    last_four: opened[index]?.card_number?.slice(-4) ?? null,
  }))
}

export const listCards = query({
  name: 'cards.list',
  permission: 'cards:manage',
  input: z.strictObject({ customer: Identifier.optional(), ...paging }),
  reads: ['cards'],
  run: async (sql, { customer, cursor, limit }, { at }, vault) => {
    const where = conditions()
    where.addIf('customer = ?', customer)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('card > ?', ...after)
    const rows = await selectCards(sql, vault, where, at, limit + 1)
    return pageOf(rows, limit, ({ card }) => [card])
  },
})

export const getCard = query({
  name: 'cards.get',
  permission: 'cards:manage',
  input: z.strictObject({ card: Identifier }),
  reads: ['cards'],
  run: async (sql, { card }, { at }, vault) => {
    const where = conditions()
    where.add('card = ?', card)
    return (await selectCards(sql, vault, where, at, 1))[0]
  },
})
