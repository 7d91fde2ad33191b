import { z } from 'zod'
import type { NumberedPage } from './paging.ts'
import type { Conditions } from './select.ts'
import type { Database } from './table.ts'

/** The input that every list in numbered pages takes. */
export const numbering = { page: z.int().min(1), page_size: z.int().min(1).max(100) }

type Numbered = {
  readonly page: number
  readonly page_size: number
  /** Such as `from visits v`, with what is joined to it. */
  readonly from: string
  readonly where: Conditions
  readonly order: string
}

/** Counts all that is found, and reads one page: `rest` goes behind the conditions. */
export const readNumbered = async <Item>(
  sql: Database,
  { page, page_size, from, where, order }: Numbered,
  read: (rest: string) => Promise<readonly Item[]>,
): Promise<NumberedPage<Item>> => {
  const { rows } = await sql.query<{ count: string }>(
    `select count(*) as count ${from}${where.where()}`,
    where.values,
  )
  const rest = `order by ${order} limit ${page_size} offset ${(page - 1) * page_size}`
  return { count: Number(rows[0]?.count ?? 0), results: await read(rest) }
}
