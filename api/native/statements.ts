import { z } from '@hono/zod-openapi'
import { requestStatement } from '../../commands/statements.ts'
import { Identifier } from '../../domain/ledger/events.ts'
import { StatementFormat } from '../../domain/statements.ts'
import { getStatement, listStatements, type StatementView } from '../../projections/statements.ts'
import { ask, route } from '../contract.ts'
import { ProblemError, problem } from '../problems.ts'
import { type Call, type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Statements'
const ofAccount = '/v1/books/{book}/accounts/{account}/statements'
const params = { book: 'main', account: 'customers:2231-0001' }

const Asked = {
  statement: z.string(),
  book: z.string(),
  account: views.Code,
  from: z.string(),
  to: z.string(),
  format: StatementFormat,
  requested_at: views.Timestamp,
}

const Statement = z
  .object({
    ...Asked,
    status: z.enum(['requested', 'completed', 'failed']),
    transactions: z.int().nullable(),
    opening: views.Minor.nullable(),
    closing: views.Minor.nullable(),
    bytes: z.int().nullable(),
    sha256: z.string().nullable(),
    reason: z.string().nullable(),
  })
  .openapi('AccountStatement')

const statementView = ({ file: _file, ...statement }: StatementView) => statement

/** Has what was asked for be made; nobody waits for it: how it ends is kept in the log. */
const beginning = (asking: Route): Route => ({
  ...asking,
  run: async (call) => {
    const answer = await asking.run(call)
    const { statement } = answer.body as { statement: string }
    if (call.dryRun) return answer
    call.services.statements.make(statement).catch((error: unknown) => {
      call.services.log.error({ err: error, statement }, 'a statement was not made')
    })
    return answer
  },
})

const mediaTypes: Readonly<Record<StatementFormat, string>> = {
  pdf: 'application/pdf',
  'camt.053': 'application/xml',
}

const ByStatement = z.object({ statement: Identifier })

const sendFile = async (call: Call<z.infer<typeof ByStatement>>) => {
  const { status, file, format } = await ask(call, getStatement, call.input)
  const stream = status === 'completed' ? await call.services.statements.open(file) : undefined
  if (!stream) {
    const detail = `The statement is ${status}; its file is not here.`
    throw new ProblemError(problem('RESOURCE_NOT_FOUND', detail))
  }
  return {
    stream,
    headers: {
      'Content-Type': mediaTypes[format],
      'Content-Disposition': `attachment; filename="${file}"`,
    },
  }
}

const january = { from: '2026-01-01', to: '2026-01-31' }

export const statementRoutes: readonly Route[] = [
  beginning(
    write('post', ofAccount, requestStatement, {
      tag,
      summary: "Have a statement of a customer's account made, to print or for programs",
      description:
        'From one day through another, by booking time. `camt.053` is an ISO 20022 ' +
        'bank-to-customer statement (camt.053.001.08). The same days of the same account in the ' +
        'same format again replace the file.',
      status: 202,
      response: z.object({ ...Asked, status: z.literal('requested') }),
      problems: ['ACCOUNT_NOT_FOUND', 'STATEMENT_PERIOD_INVALID', 'STATEMENT_FORMAT_UNFIT'],
      view: ({ customer: _customer, file: _file, format = 'pdf', ...asked }) => ({
        ...asked,
        ...{ format, status: 'requested' },
      }),
      location: ({ statement }) => `/v1/statements/${statement}`,
      example: { params, body: january, capture: { statement: 'statement' } },
      furtherExamples: [{ params, body: { ...january, format: 'camt.053' } }],
    }),
  ),
  read(ofAccount, listStatements, {
    tag,
    summary: "List an account's statements, newest first",
    response: views.pageOf(Statement, 'AccountStatement'),
    problems: ['BAD_CURSOR'],
    example: { params },
    view: ({ items, next_cursor }) => ({ items: items.map(statementView), next_cursor }),
  }),
  read('/v1/statements/{statement}', getStatement, {
    tag,
    summary: 'Show how far a statement is',
    response: Statement,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { statement: '{statement}' } },
    view: statementView,
  }),
  route('get', '/v1/statements/{statement}/file', 'statements:read', {
    tag,
    summary: 'Fetch a statement: a PDF, or XML',
    input: ByStatement,
    response: z.string(),
    contentType: 'application/pdf',
    problems: ['RESOURCE_NOT_FOUND'],
    headers: ['Consistency-Token'],
    example: { params: { statement: '{statement}' } },
    run: sendFile,
  }),
]
