import { z } from 'zod'
import {
  type ControlTotals,
  type ExportedFile,
  type ExportFormat,
  exportEvents,
} from '../domain/exports.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { conditions } from './select.ts'
import type { Table } from './table.ts'

/** `log_position` is what the export shows; `position` is, as always, the row's own. */
const exports: Table = {
  name: 'exports',
  columns: {
    export: 'text',
    book: 'text',
    from_day: 'date',
    to_day: 'date',
    format: 'text',
    log_position: 'numeric',
    status: 'text',
    requested_by: 'text',
    requested_at: 'timestamptz',
    ended_at: 'timestamptz',
    sha256: 'text',
    bytes: 'bigint',
    files: 'jsonb',
    totals: 'jsonb',
    reason: 'text',
  },
  key: ['export'],
  indexes: [['requested_at', 'export']],
}

const notEnded = { ended_at: null, sha256: null, bytes: null, files: [], totals: [], reason: null }

export const exportBook = projection({
  name: 'exports',
  version: 1,
  tables: [exports],
  schemas: exportEvents,
  on: {
    ExportRequested: ({ data, metadata }, rows) => {
      const { from, to, position, ...request } = data
      rows.put(exports, {
        ...{ ...request, ...notEnded, status: 'requested' },
        ...{ from_day: from, to_day: to, log_position: position },
        requested_by: metadata.actor ?? null,
      })
    },
    ExportCompleted: ({ data: { export: id, completed_at, ...made } }, rows) =>
      rows.patch(exports, { export: id }, { ...made, status: 'completed', ended_at: completed_at }),
    ExportFailed: ({ data: { export: id, reason, failed_at } }, rows) =>
      rows.patch(exports, { export: id }, { status: 'failed', reason, ended_at: failed_at }),
  },
})

export type ExportView = {
  export: string
  book: string
  from: string
  to: string
  format: ExportFormat
  position: string
  status: 'requested' | 'completed' | 'failed'
  requested_by: string | null
  requested_at: Date
  ended_at: Date | null
  /** Of the zip file. */
  sha256: string | null
  bytes: number | null
  files: ExportedFile[]
  totals: ControlTotals[]
  reason: string | null
}

const selectExports = `
  select export, book, from_day as "from", to_day as "to", format, log_position as position, status,
    requested_by, requested_at, ended_at, sha256, bytes, files, totals, reason
  from exports`

const exportView = (row: ExportView): ExportView => ({
  ...row,
  bytes: row.bytes === null ? null : Number(row.bytes),
})

export const getExport = query({
  name: 'exports.get',
  permission: 'compliance:export',
  input: z.strictObject({ export: Identifier }),
  reads: ['exports'],
  run: async (sql, input) => {
    const { rows } = await sql.query<ExportView>(`${selectExports} where export = $1`, [
      input.export,
    ])
    return rows.map(exportView)[0]
  },
})

/** Newest first. */
export const listExports = query({
  name: 'exports.list',
  permission: 'compliance:export',
  input: z.strictObject({
    book: BookId.optional(),
    status: z.enum(['requested', 'completed', 'failed']).optional(),
    ...paging,
  }),
  reads: ['exports'],
  run: async (sql, { book, status, cursor, limit }) => {
    const where = conditions()
    where.addIf('book = ?', book)
    where.addIf('status = ?', status)
    const after = decodeCursor(cursor, 2)
    if (after) where.add('(requested_at, export) < (?::timestamptz, ?)', ...after)
    const { rows } = await sql.query<ExportView>(
      `${selectExports}${where.where()}
       order by requested_at desc, export desc limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows.map(exportView), limit, (row) => [
      row.requested_at.toISOString(),
      row.export,
    ])
  },
})
