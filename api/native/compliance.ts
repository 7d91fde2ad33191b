import { z } from '@hono/zod-openapi'
import { requestExport } from '../../commands/exports.ts'
import { ControlTotals, ExportedFile, ExportFormat } from '../../domain/exports.ts'
import { type ExportView, getExport, listExports } from '../../projections/exports.ts'
import type { Query } from '../../projections/kernel.ts'
import { ProblemError, problem } from '../problems.ts'
import { type Call, type Route, read, write } from '../route.ts'
import { pageOf } from './views.ts'

const tag = 'Compliance'
const Timestamp = z.iso.datetime({ precision: 3 })

const Requested = z.object({
  export: z.string(),
  book: z.string(),
  from: z.iso.date(),
  to: z.iso.date(),
  format: ExportFormat,
  position: z.string().openapi({ description: 'the log position that the export shows' }),
  requested_at: Timestamp,
})

const Export = z
  .object({
    ...Requested.shape,
    status: z.enum(['requested', 'completed', 'failed']),
    requested_by: z.string().nullable(),
    ended_at: Timestamp.nullable(),
    sha256: z.string().nullable(),
    bytes: z.int().nullable(),
    files: z.array(ExportedFile),
    totals: z.array(ControlTotals),
    reason: z.string().nullable(),
  })
  .openapi('Export')

const Progress = z.object({ stage: z.string(), events: z.int(), of: z.int() }).nullable()
const ExportWithProgress = z.object({ ...Export.shape, progress: Progress })

const showExport = async (call: Call) => {
  const found = (await call.services.ask(getExport as Query, call)) as ExportView
  const progress = call.services.exports.progressOf(found.export) ?? null
  return { body: { ...found, progress } }
}

const sendFile = async (call: Call) => {
  const found = (await call.services.ask(getExport as Query, call)) as ExportView
  const file = found.status === 'completed' && (await call.services.exports.open(found.export))
  if (!file) {
    const detail = `The export is ${found.status}; its file is not here.`
    throw new ProblemError(problem('RESOURCE_NOT_FOUND', detail))
  }
  return {
    stream: file,
    headers: {
      'Content-Length': String(found.bytes),
      'Content-Disposition': `attachment; filename="daybook-${found.book}-${found.from}-${found.to}.zip"`,
      'Repr-Digest': `sha-256=:${Buffer.from(found.sha256 ?? '', 'hex').toString('base64')}:`,
    },
  }
}

const one = { params: { export: '{export}' } }

export const complianceRoutes: readonly Route[] = [
  write('post', '/v1/compliance/exports', requestExport, {
    tag,
    summary: 'Request the journal and trial balance of a period',
    description:
      'Made in the background: a zip of CSV and NDJSON files with a manifest of digests and ' +
      'control totals. The same request at the same position gives the same bytes.',
    status: 202,
    response: Requested,
    problems: ['BOOK_NOT_FOUND'],
    example: {
      body: { book: 'example', from: '2026-01-01', to: '2026-12-31', format: 'both' },
      capture: { export: 'export' },
    },
    location: (requested) => `/v1/compliance/exports/${requested.export}`,
  }),
  read('/v1/compliance/exports', listExports, {
    tag,
    summary: 'List exports, newest first',
    response: pageOf(Export, 'Export'),
    problems: ['BAD_CURSOR'],
    example: { query: { book: 'example' } },
  }),
  {
    method: 'get',
    path: '/v1/compliance/exports/{export}',
    tag,
    summary: 'Show an export and how far it is',
    permission: getExport.permission,
    input: getExport.input,
    source: 'query',
    status: 200,
    response: ExportWithProgress,
    headers: ['Consistency-Token'],
    problems: ['RESOURCE_NOT_FOUND'],
    example: one,
    run: showExport,
  },
  {
    method: 'get',
    path: '/v1/compliance/exports/{export}/file',
    tag,
    summary: 'Download a completed export',
    permission: getExport.permission,
    input: getExport.input,
    source: 'query',
    status: 200,
    response: z.string(),
    contentType: 'application/zip',
    problems: ['RESOURCE_NOT_FOUND'],
    example: one,
    run: sendFile,
  },
]
