import { z } from 'zod'
import { daysBetween } from '../domain/calendar.ts'
import { accountNumberOf } from '../domain/deposits.ts'
import { refuse } from '../domain/kernel.ts'
import { AccountCode, BookId, Day } from '../domain/ledger/events.ts'
import {
  Statement,
  StatementFormat,
  type StatementRequest,
  type StatementState,
  statementEvents,
} from '../domain/statements.ts'
import { lookAtAccount } from './deposits.ts'
import { command, onExisting } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'

type Asked = Pick<StatementRequest, 'book' | 'account' | 'from' | 'to'> & {
  readonly format: StatementFormat
}

/** Seven years: how long papers are kept. */
const MAX_DAYS = 366 * 7

const endings: Readonly<Record<StatementFormat, string>> = { pdf: 'pdf', 'camt.053': 'xml' }

/** An account may have any number of the book's; the main book's are named by it alone. */
const fileNameOf = ({ book, account, from, to, format }: Asked): string => {
  const days = [from, to].map((day) => day.replaceAll('-', ''))
  const number = accountNumberOf(account)
    .replace(/[^\w.-]/g, '-')
    .slice(0, 64)
  const name = book === 'main' ? number : `${book}-${number}`
  return `stmt-${name}-${days.join('-')}.${endings[format]}`
}

/** ISO 20022 knows currencies, of at most five decimals. */
const isCurrency = (asset: string): boolean => /^[A-Z]{3}\/[0-5]$/.test(asset)

/** Asks for a statement, which is then made. */
export const requestStatement = command({
  name: 'statements.request',
  permission: 'statements:read',
  input: z.strictObject({
    ...{ book: BookId, account: AccountCode, from: Day, to: Day },
    format: StatementFormat.default('pdf'),
  }),
  decider: Statement,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'STATEMENT_EXISTS',
  ifMatch: 'stream',
  enrich: async (asked, { ports, reach, context, at, newId }) => {
    const { book, account, from, to, format } = asked
    const invalid = (why: string) => refuse('STATEMENT_PERIOD_INVALID', why, { from, to })
    if (to < from) return invalid(`The period ends on ${to}, before it begins on ${from}.`)
    if (to > at.slice(0, 10)) return invalid(`The period ends on ${to}, which is in the future.`)
    if (daysBetween(from, to) > MAX_DAYS) return invalid('The period is longer than seven years.')
    const found = await lookAtAccount(ports, book, account)
    const customer = found?.owner
    if (!customer || (reach !== 'all' && customer !== context.actor.id)) {
      return refuse('ACCOUNT_NOT_FOUND', `There is no account ${account}.`, { account })
    }
    if (format === 'camt.053' && !isCurrency(found.asset)) {
      const detail = `There is no camt.053 of an account in ${found.asset}.`
      return refuse('STATEMENT_FORMAT_UNFIT', detail, { asset: found.asset })
    }
    const file = fileNameOf(asked)
    return { statement: newId(), ...asked, customer, file, requested_at: at }
  },
  decide: Statement.decide.request,
  answer: (events) => dataOf<StatementRequest>(events, 'StatementRequested'),
})

/** What the maker of statements says of one; nobody else may. */
const statementCommand = onExisting({
  decider: Statement,
  field: 'statement',
  otherwise: 'RESOURCE_UNKNOWN',
})
const permission = 'statements:make'

export const completeStatement = statementCommand({
  name: 'statements.complete',
  permission,
  input: z.strictObject(statementEvents.StatementCompleted.omit({ completed_at: true }).shape),
  enrich: (input, { at }) => ({ ...input, completed_at: at }),
  decide: Statement.decide.complete,
  answer: (_events, { statement }) => ({ statement, status: 'completed' as const }),
})

export const failStatement = statementCommand({
  name: 'statements.fail',
  permission,
  input: z.strictObject(statementEvents.StatementFailed.omit({ failed_at: true }).shape),
  enrich: (input, { at }) => ({ ...input, failed_at: at }),
  decide: Statement.decide.fail,
  answer: (_events, { statement }) => ({ statement, status: 'failed' as const }),
})

export const lookAtStatement = (ports: Looking, statement: string): Promise<StatementState> =>
  lookAt(ports, Statement, statement)
