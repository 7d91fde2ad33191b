import { z } from 'zod'
import { BookId } from '../domain/ledger/events.ts'
import { NOTE_CENTS } from '../domain/machines.ts'
import { query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { conditions } from './select.ts'

export type MachineView = {
  machine: string
  twenties: number
  status: 'ok' | 'low' | 'out'
  taken_in: string
}

/** Fewer notes than this, and somebody should come by. */
const LOW_NOTES = 50

const statusOf = (notes: number): MachineView['status'] => {
  if (notes === 0) return 'out'
  return notes < LOW_NOTES ? 'low' : 'ok'
}

/** What the machines of a book hold, by their ledger accounts. */
export const listMachines = query({
  name: 'machines.list',
  permission: 'machines:manage',
  input: z.strictObject({ book: BookId, ...paging }),
  reads: ['accounts'],
  run: async (sql, { book, cursor, limit }) => {
    const where = conditions()
    where.add(`c.book = ? and c.account like 'cash:machines:%:twenties'`, book)
    const after = decodeCursor(cursor, 1)
    if (after) where.add(`split_part(c.account, ':', 3) > ?`, ...after)
    const { rows } = await sql.query<{ machine: string; cents: string; taken_in: string | null }>(
      `select split_part(c.account, ':', 3) as machine, c.balance as cents, d.balance as taken_in
       from accounts c left join accounts d on d.book = c.book
         and d.account = 'cash:machines:' || split_part(c.account, ':', 3) || ':deposits'
       ${where.where()} order by 1 limit ${limit + 1}`,
      where.values,
    )
    const machines = rows.map(({ machine, cents, taken_in }): MachineView => {
      const twenties = Number(BigInt(cents) / BigInt(NOTE_CENTS))
      return { machine, twenties, status: statusOf(twenties), taken_in: taken_in ?? '0' }
    })
    return pageOf(machines, limit, ({ machine }) => [machine])
  },
})
