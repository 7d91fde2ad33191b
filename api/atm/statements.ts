import { z } from '@hono/zod-openapi'
import { requestStatement } from '../../commands/statements.ts'
import { dayAfter, dayOf, periodText } from '../../domain/calendar.ts'
import { Day } from '../../domain/ledger/events.ts'
import { formatDollars } from '../../domain/money.ts'
import { paging } from '../../projections/paging.ts'
import {
  findStatementFile,
  getStatement,
  listStatements,
  type StatementView,
} from '../../projections/statements.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { asHolder } from './auth.ts'
import { holderOf } from './dialect.ts'
import { STATEMENT_MISSING } from './errors.ts'
import { Dollars } from './views.ts'

const tag = 'Statements'
const DEFAULT_DAYS = 30

const Wanted = z
  .object({
    days: z.int().min(1).max(365).nullish(),
    start_date: Day.nullish(),
    end_date: Day.nullish(),
  })
  .refine(({ start_date, end_date }) => Boolean(start_date) === Boolean(end_date), {
    path: ['end_date'],
    message: 'start_date and end_date go together',
  })
type Wanted = z.infer<typeof Wanted>

/** Dates win over days; a number of days ends today. */
const periodOf = ({ days, start_date, end_date }: Wanted, at: Date) => {
  if (start_date && end_date) return { from: start_date, to: end_date }
  const today = dayOf(at.toISOString(), 'UTC')
  return { from: dayAfter(today, 1 - (days ?? DEFAULT_DAYS)), to: today }
}

const FILES = '/api/v1/statements/files'
const fileOf = (file: string): string => `${FILES}/${file}`

const missing = (): ProblemError =>
  new ProblemError(
    problem('RESOURCE_NOT_FOUND', 'There is no such statement.', {
      facts: { resource: STATEMENT_MISSING },
    }),
  )

/** What is not there is a statement that is not there. */
const orMissing = <Result>(work: Promise<Result>): Promise<Result> =>
  work.catch((error: unknown) => {
    const isMissing = error instanceof ProblemError && error.problem.code === 'RESOURCE_NOT_FOUND'
    throw isMissing ? missing() : error
  })

const STATUS = { requested: 'PENDING', completed: 'COMPLETED', failed: 'FAILED' } as const
const dollarsOrNull = (cents: string | null): string | null =>
  cents === null ? null : formatDollars(cents)

const listed = (statement: StatementView) => ({
  statement_id: statement.statement,
  status: STATUS[statement.status],
  file_path: statement.status === 'completed' ? fileOf(statement.file) : null,
  period: periodText(statement),
  transaction_count: statement.transactions,
  opening_balance: dollarsOrNull(statement.opening),
  closing_balance: dollarsOrNull(statement.closing),
  created_at: instant(statement.requested_at),
})

const Listed = z
  .object({
    statement_id: z.string(),
    status: z.enum(['PENDING', 'COMPLETED', 'FAILED']),
    file_path: z.string().nullable(),
    period: z.string(),
    transaction_count: z.int().nullable(),
    opening_balance: Dollars.nullable(),
    closing_balance: Dollars.nullable(),
    created_at: z.string(),
  })
  .openapi('Statement')

const request = async (call: Call<Wanted>) => {
  const { book, account } = holderOf(call)
  const period = periodOf(call.input, call.at)
  return (await tell(call, requestStatement, { book, account, ...period })).answer
}

/** Reads a statement as the read models have it after all that was written until now. */
const showStatement = (call: Call, statement: string): Promise<StatementView> =>
  orMissing(ask({ ...call, consistency: call.services.newestWrite() }, getStatement, { statement }))

const generate = async (call: Call<Wanted>) => {
  const { statement } = await request(call)
  await call.services.statements.make(statement)
  const made = await showStatement(call, statement)
  if (made.status !== 'completed') {
    const reason = made.reason ?? 'It takes longer than a request may.'
    throw new ProblemError(problem('UNAVAILABLE', `The statement was not made: ${reason}`))
  }
  return {
    body: {
      file_path: fileOf(made.file),
      period: periodText(made),
      transaction_count: made.transactions ?? 0,
      opening_balance: formatDollars(made.opening ?? '0'),
      closing_balance: formatDollars(made.closing ?? '0'),
    },
  }
}

const Job = Listed.extend({ progress: z.int().openapi({ description: 'percent' }) })

const jobOf = (call: Call, statement: StatementView) => {
  const progress = call.services.statements.progressOf(statement.statement) ?? 0
  const percent = statement.status === 'requested' ? Math.floor(progress * 100) : 100
  return { ...listed(statement), progress: percent }
}

const startJob = async (call: Call<Wanted>) => {
  const { statement } = await request(call)
  // Nobody waits for it: how it ends is kept in the log.
  call.services.statements.make(statement).catch((error: unknown) => {
    call.services.log.error({ err: error, statement }, 'a statement was not made')
  })
  const asked = await showStatement(call, statement)
  return {
    body: jobOf(call, asked),
    headers: { Location: `/api/v1/statements/jobs/${statement}` },
  }
}

const ByFile = z.object({ file: z.string().max(128) })

const sendFile = async (call: Call<z.infer<typeof ByFile>>) => {
  const found = await orMissing(ask(call, findStatementFile, { file: call.input.file }))
  const stream = await call.services.statements.open(found.file)
  if (!stream) throw missing()
  const headers = { 'Content-Disposition': `attachment; filename="${found.file}"` }
  return { stream, headers }
}

const ByJob = z.object({ statement_id: z.string().regex(/^[0-9A-Za-z_-]{1,64}$/) })
const january = { start_date: '2026-01-01', end_date: '2026-01-31' }

export const statementRoutes: readonly Route[] = [
  route('post', '/api/v1/statements/generate', 'statements:read', {
    tag,
    summary: 'Make a PDF statement',
    description: 'Of the last days (30 unless said otherwise), or from one day through another.',
    input: Wanted,
    response: z.object({
      file_path: z.string(),
      period: z.string(),
      transaction_count: z.int(),
      opening_balance: Dollars,
      closing_balance: Dollars,
    }),
    problems: ['STATEMENT_PERIOD_INVALID'],
    example: { ...asHolder, body: january },
    run: generate,
  }),
  route('post', '/api/v1/statements/jobs', 'statements:read', {
    tag,
    summary: 'Have a statement made in the background',
    status: 202,
    input: Wanted,
    response: Job,
    problems: ['STATEMENT_PERIOD_INVALID'],
    example: { ...asHolder, body: { days: 365 }, capture: { job: 'statement_id' } },
    run: startJob,
  }),
  route('get', '/api/v1/statements/jobs/{statement_id}', 'statements:read', {
    tag,
    summary: 'Show how far a statement is',
    input: ByJob,
    response: Job,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...asHolder, params: { statement_id: '{job}' } },
    run: async (call) => ({
      body: jobOf(call, await showStatement(call, call.input.statement_id)),
    }),
  }),
  route('get', '/api/v1/statements', 'statements:read', {
    tag,
    summary: "List the account's statements, newest first",
    input: z.object(paging),
    response: z.object({ statements: z.array(Listed), next_cursor: z.string().nullable() }),
    problems: ['BAD_CURSOR'],
    example: asHolder,
    run: async (call) => {
      const { book, account } = holderOf(call)
      const wanted = { ...call.input, book, account, format: 'pdf' as const }
      const page = await ask(call, listStatements, wanted)
      return { body: { statements: page.items.map(listed), next_cursor: page.next_cursor } }
    },
  }),
  route('get', `${FILES}/{file}`, 'statements:read', {
    tag,
    summary: 'Fetch a statement as PDF',
    input: ByFile,
    response: z.string(),
    contentType: 'application/pdf',
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...asHolder, params: { file: 'stmt-1000-0001-0001-20260101-20260131.pdf' } },
    run: sendFile,
  }),
]
