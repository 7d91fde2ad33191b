import { z } from '@hono/zod-openapi'
import { blockCard, issueCard, unblockCard } from '../../commands/cards.ts'
import { getCard, listCards } from '../../projections/cards.ts'
import { type Route, read, write } from '../route.ts'
import { pageOf } from './views.ts'

const tag = 'Cards'
const Timestamp = z.iso.datetime({ precision: 3 })

const Card = z
  .object({
    card: z.string(),
    customer: z.string(),
    book: z.string(),
    account: z.string(),
    last_four: z.string().nullable(),
    status: z.enum(['active', 'locked', 'blocked']),
    status_reason: z.string().nullable(),
    locked_until: Timestamp.nullable(),
    issued_at: Timestamp,
  })
  .openapi('Card')

const one = { params: { card: '{issued_card}' } }
const Status = z.object({ card: z.string(), status: z.enum(['active', 'blocked']) })

export const cardRoutes: readonly Route[] = [
  write('post', '/v1/cards', issueCard, {
    tag,
    summary: 'Issue a card for an account',
    description: 'The PIN is kept under argon2id with a pepper and cannot be read again.',
    response: z.object({
      card: z.string(),
      customer: z.string(),
      book: z.string(),
      account: z.string(),
      account_number: z.string(),
    }),
    problems: ['CARD_EXISTS', 'ACCOUNT_NOT_FOUND'],
    example: {
      body: {
        card_number: '4000-0001-0001',
        pin: '1234',
        book: 'main',
        account_number: '1000-0001-0001',
      },
      capture: { issued_card: 'card' },
    },
  }),
  read('/v1/cards', listCards, {
    tag,
    summary: 'List cards',
    response: pageOf(Card, 'Card'),
    problems: ['BAD_CURSOR'],
    example: { query: { customer: '{holder}' } },
  }),
  read('/v1/cards/{card}', getCard, {
    tag,
    summary: 'Show a card',
    response: Card,
    problems: ['RESOURCE_NOT_FOUND'],
    example: one,
  }),
  write('post', '/v1/cards/{card}/block', blockCard, {
    tag,
    summary: 'Block a card; its sessions end',
    status: 200,
    response: Status,
    problems: ['CARD_NOT_FOUND'],
    example: { ...one, body: { reason: 'Reported lost' } },
  }),
  write('post', '/v1/cards/{card}/unblock', unblockCard, {
    tag,
    summary: 'Unblock a card, and forget wrong PINs',
    status: 200,
    response: Status,
    problems: ['CARD_NOT_FOUND'],
    example: { ...one, body: { reason: 'Found again' } },
  }),
]
