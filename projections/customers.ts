import { z } from 'zod'
import { customerEvents } from '../domain/customers.ts'
import { Identifier } from '../domain/ledger/events.ts'
import type { Vault } from '../domain/vault.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'

const customers: Table = {
  name: 'customers',
  columns: {
    customer: 'text',
    number: 'bigint',
    profile: 'text',
    registered_at: 'timestamptz',
  },
  key: ['customer'],
  indexes: [['number']],
}

export const customerBook = projection({
  name: 'customers',
  version: 2,
  tables: [customers],
  schemas: customerEvents,
  on: {
    CustomerRegistered: ({ data }, rows) => rows.put(customers, data),
    CustomerChanged: ({ data: { customer, profile } }, rows) =>
      rows.patch(customers, { customer }, { profile }),
    CustomerForgotten: ({ data: { customer } }, rows) => rows.remove(customers, { customer }),
  },
})

/** The name is null once he has been forgotten. */
export type CustomerView = {
  customer: string
  number: number
  name: string | null
  registered_at: Date
}

const selectCustomers = async (
  sql: Database,
  vault: Vault,
  where: Conditions,
  limit: number,
): Promise<CustomerView[]> => {
  const { rows } = await sql.query<Omit<CustomerView, 'name'> & { profile: string }>(
    `select customer, number, profile, registered_at from customers${where.where()}
     order by number limit ${limit}`,
    where.values,
  )
  const opened = await vault.openAll(
    rows.map(({ customer, profile }) => ({ subject: customer, sealed: profile })),
  )
  return rows.map(({ customer, number, registered_at }, index) => ({
    customer,
    number: Number(number),
    name: opened[index]?.name ?? null,
    registered_at,
  }))
}

/** In the order of their numbers. */
export const listCustomers = query({
  name: 'customers.list',
  permission: 'customers:read',
  input: z.strictObject(paging),
  reads: ['customers'],
  run: async (sql, { cursor, limit }, _asker, vault) => {
    const where = conditions()
    const after = decodeCursor(cursor, 1)
    if (after) where.add('number > ?::bigint', ...after)
    const rows = await selectCustomers(sql, vault, where, limit + 1)
    return pageOf(rows, limit, ({ number }) => [`${number}`])
  },
})

export const getCustomer = query({
  name: 'customers.get',
  permission: 'customers:read',
  input: z.strictObject({ customer: Identifier }),
  reads: ['customers'],
  run: async (sql, { customer }, _asker, vault) => {
    const where = conditions()
    where.add('customer = ?', customer)
    return (await selectCustomers(sql, vault, where, 1))[0]
  },
})
