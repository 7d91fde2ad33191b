import { z } from '@hono/zod-openapi'
import { approveTill, countTill, openTill } from '../../commands/tills.ts'
import { getTill, listTills, TillStatus } from '../../projections/tills.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Tills'
const Signed = z.string().openapi({ example: '-250', description: 'minor units, below zero too' })

const Till = z
  .object({
    ...{ till: z.string(), teller: z.string(), book: z.string(), asset: z.string() },
    ...{ day: z.string(), float: z.string(), status: TillStatus },
    expected: Signed.nullable(),
    counted: z.string().nullable(),
    difference: Signed.nullable(),
    opened_at: views.Timestamp,
    counted_at: views.Timestamp.nullable(),
    approved_by: z.string().nullable(),
    approved_at: views.Timestamp.nullable(),
  })
  .openapi('Till')

export const tillRoutes: readonly Route[] = [
  write('post', '/v1/tills', openTill, {
    tag,
    summary: 'Open my till for the day, with cash of the vault',
    description: 'From then on, what I take in and pay out at the counter goes through it.',
    response: z.object({
      ...{ till: z.string(), teller: z.string(), day: z.string(), status: z.literal('open') },
    }),
    problems: ['BOOK_NOT_FOUND', 'ASSET_UNKNOWN', 'TILL_EXISTS'],
    example: {
      body: { book: 'main', asset: 'USD/2', float: '100000' },
      capture: { till: 'till', till_teller: 'teller' },
    },
    location: ({ till }) => `/v1/tills/${till}`,
  }),
  read('/v1/tills', listTills, {
    tag,
    summary: 'List tills, newest first: tellers see their own',
    response: views.pageOf(Till, 'Till'),
    problems: ['BAD_CURSOR'],
    example: { query: { status: 'open' } },
  }),
  read('/v1/tills/{till}', getTill, {
    tag,
    summary: 'Show a till',
    response: Till,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { till: '{till}' } },
  }),
  write('post', '/v1/tills/count', countTill, {
    tag,
    summary: 'Count my till, which closes it',
    description:
      'What is there goes to the vault, and what is too much or too little is booked. With a ' +
      'difference above 50.00 it stays `counted` until somebody else has approved it.',
    status: 200,
    response: z.object({
      ...{ till: z.string(), expected: Signed, counted: z.string(), difference: Signed },
      status: z.enum(['counted', 'closing']),
    }),
    problems: ['TILL_NOT_OPEN'],
    example: { body: { counted: '1' } },
  }),
  write('post', '/v1/tellers/{teller}/till/approve', approveTill, {
    tag,
    summary: "Let the count of somebody else's till stand",
    status: 200,
    response: z.object({ teller: z.string(), status: z.literal('closing') }),
    problems: ['TILL_NOT_OPEN', 'TILL_NOT_COUNTED', 'MAKER_IS_CHECKER'],
    example: { params: { teller: '{till_teller}' }, body: {}, by: 'another' },
  }),
]
