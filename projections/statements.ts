import { z } from 'zod'
import { AccountCode, BookId, Identifier } from '../domain/ledger/events.ts'
import { StatementFormat, statementEvents } from '../domain/statements.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { onlyReached } from './reach.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'

const statements: Table = {
  name: 'statements',
  columns: {
    statement: 'text',
    book: 'text',
    account: 'text',
    customer: 'text',
    from_day: 'date',
    to_day: 'date',
    file: 'text',
    format: 'text',
    status: 'text',
    requested_at: 'timestamptz',
    ended_at: 'timestamptz',
    transactions: 'integer',
    opening: 'numeric',
    closing: 'numeric',
    sha256: 'text',
    bytes: 'bigint',
    pages: 'integer',
    reason: 'text',
  },
  key: ['statement'],
  indexes: [
    ['book', 'account', 'statement'],
    { columns: ['statement'], where: "status = 'requested'" },
  ],
}

const notMade = {
  ended_at: null,
  transactions: null,
  opening: null,
  closing: null,
  sha256: null,
  bytes: null,
  pages: null,
  reason: null,
}

export const statementBook = projection({
  name: 'statements',
  version: 2,
  tables: [statements],
  schemas: statementEvents,
  on: {
    StatementRequested: ({ data: { from, to, format, ...request } }, rows) =>
      rows.put(statements, {
        ...request,
        format: format ?? 'pdf',
        ...notMade,
        from_day: from,
        to_day: to,
        status: 'requested',
      }),
    StatementCompleted: ({ data: { statement, completed_at, ...made } }, rows) =>
      rows.patch(
        statements,
        { statement },
        { ...made, status: 'completed', ended_at: completed_at },
      ),
    StatementFailed: ({ data: { statement, reason, failed_at } }, rows) =>
      rows.patch(statements, { statement }, { status: 'failed', reason, ended_at: failed_at }),
  },
})

export type StatementView = {
  statement: string
  book: string
  account: string
  from: string
  to: string
  file: string
  format: StatementFormat
  status: 'requested' | 'completed' | 'failed'
  requested_at: Date
  transactions: number | null
  opening: string | null
  closing: string | null
  sha256: string | null
  bytes: number | null
  reason: string | null
}

const selectStatements = async (
  sql: Database,
  where: Conditions,
  limit: number,
): Promise<StatementView[]> => {
  const { rows } = await sql.query<StatementView>(
    `select statement, book, account, from_day::text as "from", to_day::text as "to", file,
       format, status, requested_at, transactions, opening, closing, sha256, bytes, reason
     from statements${where.where()} order by statement desc limit ${limit}`,
    where.values,
  )
  return rows.map((row) => ({ ...row, bytes: row.bytes === null ? null : Number(row.bytes) }))
}

/** An account's statements, newest first. */
export const listStatements = query({
  name: 'statements.list',
  permission: 'statements:read',
  input: z.strictObject({
    ...{ book: BookId, account: AccountCode, format: StatementFormat.optional(), ...paging },
  }),
  reads: ['statements', 'assignments'],
  run: async (sql, { book, account, format, cursor, limit }, asker) => {
    const where = conditions()
    where.add('book = ? and account = ?', book, account)
    where.addIf('format = ?', format)
    onlyReached(where, asker, 'customer')
    const after = decodeCursor(cursor, 1)
    if (after) where.add('statement < ?', ...after)
    return pageOf(await selectStatements(sql, where, limit + 1), limit, (row) => [row.statement])
  },
})

export const getStatement = query({
  name: 'statements.get',
  permission: 'statements:read',
  input: z.strictObject({ statement: Identifier }),
  reads: ['statements', 'assignments'],
  run: async (sql, { statement }, asker) => {
    const where = conditions()
    where.add('statement = ?', statement)
    onlyReached(where, asker, 'customer')
    return (await selectStatements(sql, where, 1))[0]
  },
})

/** The newest PDF that was made under a file's name. */
export const findStatementFile = query({
  name: 'statements.file',
  permission: 'statements:read',
  input: z.strictObject({ file: z.string().max(128) }),
  reads: ['statements', 'assignments'],
  run: async (sql, { file }, asker) => {
    const where = conditions()
    where.add(`file = ? and format = 'pdf' and status = 'completed'`, file)
    onlyReached(where, asker, 'customer')
    return (await selectStatements(sql, where, 1))[0]
  },
})
