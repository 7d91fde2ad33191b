import { z } from '@hono/zod-openapi'
import { installMachine, loadMachine } from '../../commands/machines.ts'
import { listMachines } from '../../projections/machines.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Machines'
const book = 'main'

const Machine = z
  .object({
    machine: z.string(),
    twenties: z.int().openapi({ description: 'notes left to give out' }),
    status: z.enum(['ok', 'low', 'out']),
    taken_in: z.string().openapi({ description: 'cash deposited, in cents' }),
  })
  .openapi('Machine')

export const installRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/machines', installMachine, {
    tag,
    summary: 'Install a cash machine: its cassettes are accounts of the book',
    response: z.object({
      book: z.string(),
      machine: z.string(),
      cassette: z.string(),
      deposits: z.string(),
    }),
    problems: ['BOOK_NOT_FOUND', 'ASSET_UNKNOWN'],
    example: { params: { book }, body: { machine: '1' } },
  }),
]

/** Behind the opening balance of the vault, from which machines are loaded. */
export const machineRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/machines/{machine}/loads', loadMachine, {
    tag,
    summary: 'Load a machine with $20 notes from the vault',
    response: views.PostedEntry,
    problems: ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'INSUFFICIENT_FUNDS'],
    example: { params: { book, machine: '1' }, body: { twenties: 500 } },
  }),
  read('/v1/books/{book}/machines', listMachines, {
    tag,
    summary: 'List cash machines and what they have left',
    response: views.pageOf(Machine, 'Machine'),
    problems: ['BAD_CURSOR'],
    example: { params: { book } },
  }),
]
