import { z } from 'zod'
import { daysBetween } from '../domain/calendar.ts'
import { accountNumberOf } from '../domain/deposits.ts'
import { refuse } from '../domain/kernel.ts'
import { AccountCode, BookId, Day } from '../domain/ledger/events.ts'
import {
  Statement,
  type StatementRequest,
  type StatementState,
  statementEvents,
} from '../domain/statements.ts'
import { lookAtAccount } from './deposits.ts'
import { command, onExisting } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import type { Ports } from './ports.ts'

/** Seven years: how long papers are kept. */
const MAX_DAYS = 366 * 7

const fileNameOf = (account: string, from: string, to: string): string => {
  const days = [from, to].map((day) => day.replaceAll('-', ''))
  return `stmt-${accountNumberOf(account)}-${days.join('-')}.pdf`
}

/** Asks for a statement, which is then made. */
export const requestStatement = command({
  name: 'statements.request',
  permission: 'statements:read',
  input: z.strictObject({ book: BookId, account: AccountCode, from: Day, to: Day }),
  decider: Statement,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'STATEMENT_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ book, account, from, to }, { ports, reach, context, at, newId }) => {
    const invalid = (why: string) => refuse('STATEMENT_PERIOD_INVALID', why, { from, to })
    if (to < from) return invalid(`The period ends on ${to}, before it begins on ${from}.`)
    if (to > at.slice(0, 10)) return invalid(`The period ends on ${to}, which is in the future.`)
    if (daysBetween(from, to) > MAX_DAYS) return invalid('The period is longer than seven years.')
    const customer = (await lookAtAccount(ports, book, account))?.owner
    if (!customer || (reach === 'own' && customer !== context.actor.id)) {
      return refuse('ACCOUNT_NOT_FOUND', `There is no account ${account}.`, { account })
    }
    const file = fileNameOf(account, from, to)
    return { statement: newId(), book, account, customer, from, to, file, requested_at: at }
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

export const lookAtStatement = async (
  { engine }: Pick<Ports, 'engine'>,
  statement: string,
): Promise<StatementState> =>
  (await engine.look(Statement, `${Statement.category}-${statement}`)).state as StatementState
