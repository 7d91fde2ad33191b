import { z } from 'zod'
import type { ChurnProfile } from '../../domain/churn.ts'
import type { Vault } from '../../domain/vault.ts'
import { query } from '../kernel.ts'
import type { NumberedPage } from '../paging.ts'
import { type Conditions, conditions } from '../select.ts'
import type { Database } from '../table.ts'

/** What is sealed is null once the person has been forgotten. */
export type ChurnCustomerView = {
  customer: string
  number: number
  name: string | null
  email: string | null
  phone: string | null
  profile: ChurnProfile
  probability: number | null
  scored_at: Date | null
  changed_at: Date
}

type Stored = Omit<ChurnCustomerView, 'name' | 'email' | 'phone'> & { sealed: string }

const COLUMNS = `c.customer, c.number, c.profile, c.probability, c.scored_at, c.changed_at,
  p.profile as sealed`
const FROM = 'from churn_customers c join customers p on p.customer = c.customer'

const select = async (
  sql: Database,
  where: Conditions,
  rest: string,
): Promise<readonly Stored[]> => {
  const { rows } = await sql.query<Stored>(
    `select ${COLUMNS} ${FROM}${where.where()} ${rest}`,
    where.values,
  )
  return rows
}

const unsealed = async (vault: Vault, rows: readonly Stored[]): Promise<ChurnCustomerView[]> => {
  const opened = await vault.openAll(
    rows.map(({ customer, sealed }) => ({ subject: customer, sealed })),
  )
  return rows.map(({ sealed: _sealed, ...row }, index) => {
    const person = opened[index]
    return {
      ...row,
      number: Number(row.number),
      name: person?.name ?? null,
      email: person?.email ?? null,
      phone: person?.phone ?? null,
    }
  })
}

/** Names are sealed, so what is searched or sorted by name is opened first: up to so many. */
const MOST_OPENED = 20_000

const byName = new Intl.Collator('en', { sensitivity: 'base', numeric: false })

const matches = (text: string) => {
  const wanted = text.toLowerCase()
  return ({ name, email }: ChurnCustomerView): boolean =>
    (name ?? '').toLowerCase().includes(wanted) || (email ?? '').toLowerCase().includes(wanted)
}

const Listing = z.strictObject({
  page: z.int().min(1),
  page_size: z.int().min(1).max(100),
  search: z.string().max(128).default(''),
  sort_by: z.enum(['id', 'name', 'risk_score']).default('id'),
  order: z.enum(['asc', 'desc']).default('asc'),
})
type Listing = z.infer<typeof Listing>

const SORTED = {
  id: (order: string) => `order by c.number ${order}`,
  risk_score: (order: string) => `order by coalesce(c.probability, 0) ${order}, c.number ${order}`,
} as const

const pageInSql = async (sql: Database, vault: Vault, listing: Listing) => {
  const { page, page_size, sort_by, order } = listing
  const counted = await sql.query<{ count: string }>(`select count(*) as count ${FROM}`)
  const sorted = SORTED[sort_by === 'risk_score' ? 'risk_score' : 'id'](order)
  const offset = (page - 1) * page_size
  const rows = await select(sql, conditions(), `${sorted} limit ${page_size} offset ${offset}`)
  return { count: Number(counted.rows[0]?.count ?? 0), results: await unsealed(vault, rows) }
}

const sortOpened = (customers: ChurnCustomerView[], { sort_by, order }: Listing) => {
  const sign = order === 'desc' ? -1 : 1
  const key = {
    id: (one: ChurnCustomerView, other: ChurnCustomerView) => one.number - other.number,
    name: (one: ChurnCustomerView, other: ChurnCustomerView) =>
      byName.compare(one.name ?? '', other.name ?? '') || one.number - other.number,
    risk_score: (one: ChurnCustomerView, other: ChurnCustomerView) =>
      (one.probability ?? 0) - (other.probability ?? 0) || one.number - other.number,
  }[sort_by]
  return customers.sort((one, other) => sign * key(one, other))
}

const pageOpened = async (sql: Database, vault: Vault, listing: Listing) => {
  const { page, page_size, search } = listing
  const rows = await select(sql, conditions(), `order by c.number limit ${MOST_OPENED}`)
  const found = (await unsealed(vault, rows)).filter(matches(search))
  const from = (page - 1) * page_size
  const results = sortOpened(found, listing).slice(from, from + page_size)
  return { count: found.length, results }
}

/** A numbered page of customers. Search looks into names and e-mail addresses. */
export const listChurnCustomers = query({
  name: 'churn.customers',
  permission: 'churn:use',
  input: Listing,
  reads: ['churn', 'customers'],
  run: async (sql, listing, _asker, vault): Promise<NumberedPage<ChurnCustomerView>> =>
    listing.search === '' && listing.sort_by !== 'name'
      ? pageInSql(sql, vault, listing)
      : pageOpened(sql, vault, listing),
})

export type ChurnCustomerWithHistory = ChurnCustomerView & {
  readonly history: readonly { readonly score: number; readonly timestamp: Date }[]
}

const HISTORY = 10

/** One customer by his integer id, with his newest scores. */
export const getChurnCustomer = query({
  name: 'churn.customer',
  permission: 'churn:use',
  input: z.strictObject({ number: z.int() }),
  reads: ['churn', 'customers'],
  run: async (sql, { number }, _asker, vault): Promise<ChurnCustomerWithHistory | undefined> => {
    const where = conditions()
    where.add('c.number = ?', number)
    const [customer] = await unsealed(vault, await select(sql, where, 'limit 1'))
    if (!customer) return undefined
    const { rows: history } = await sql.query<{ score: number; timestamp: Date }>(
      `select probability as score, scored_at as timestamp from churn_scores
       where customer = $1 order by revision desc limit ${HISTORY}`,
      [customer.customer],
    )
    return { ...customer, history }
  },
})

/** Which customers these integer ids stand for; unknown ones are left out. */
export const findChurnCustomers = query({
  name: 'churn.find',
  permission: 'churn:use',
  input: z.strictObject({ numbers: z.array(z.int()).max(10_000) }),
  reads: ['churn'],
  run: async (sql, { numbers }) => {
    const { rows } = await sql.query<{ customer: string; number: string }>(
      'select customer, number from churn_customers where number = any($1) order by number',
      [numbers],
    )
    return rows.map(({ customer, number }) => ({ customer, number: Number(number) }))
  },
})
