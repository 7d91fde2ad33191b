import type { z } from 'zod'
import { type Command, execute } from '../../commands/kernel.ts'
import { changeTerms, openAccount, openBook } from '../../commands/ledger/index.ts'
import type { Ports } from '../../commands/ports.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { Book } from '../../domain/ledger/state.ts'
import { SYSTEM } from '../system.ts'
import { BadFile } from './bank_rows.ts'
import type { Survey } from './bank_survey.ts'
import { inFlight } from './in_flight.ts'

const ASSET = 'CZK/2'
const IN_FLIGHT = 512

const INTERNAL = [
  { account: 'cash:vault', type: 'asset', name: 'Vault cash' },
  { account: 'clearing:cards', type: 'liability', name: 'Card scheme clearing' },
  { account: 'clearing:banks', type: 'liability', name: 'Other banks clearing' },
  { account: 'income:fees', type: 'income', name: 'Statement fees' },
  { account: 'income:interest', type: 'income', name: 'Interest on overdrafts' },
  { account: 'expense:interest', type: 'expense', name: 'Interest paid' },
] as const

export const accountOf = (id: string): string => `customers:${id}`

/** Noon, so that the booking day is the row's date in every time zone of a bank. */
export const noonOf = (date: string): Date => new Date(`${date}T12:00:00.000Z`)

/** Makes the book ready for the file: what is there already stays, what is missing is added. */
export const prepareBook = async (
  ports: Ports,
  book: string,
  { accounts, from }: Survey,
  signal: AbortSignal,
): Promise<void> => {
  const ask = async <Input extends z.ZodType, Values, Answer>(
    command: Command<Input, Values, Answer>,
    input: z.input<Input>,
    date: string,
  ): Promise<void> => {
    const context = { actor: SYSTEM, at: noonOf(date), correlation: `import-${book}` }
    const outcome = await execute(ports, command, command.input.parse(input), context)
    if (isRefusal(outcome)) throw new BadFile(outcome.detail)
  }

  const look = async (): Promise<Book> =>
    (await ports.engine.look(Ledger, `${Ledger.category}-${book}`)).state as Book
  if ((await look()).id === '') {
    await ask(openBook, { book, name: 'Imported bank', assets: [ASSET] }, from)
  }
  const { accounts: known } = await look()
  const missing = INTERNAL.filter(({ account }) => !known.get(account))
  for (const account of missing) {
    // The file begins and ends in the middle of the bank's life: its own accounts run both ways.
    await ask(openAccount, { book, ...account, asset: ASSET, overdraft_limit: 'unlimited' }, from)
  }
  const provide = async (id: string): Promise<void> => {
    const survey = accounts.get(id)
    if (!survey) return
    const account = accountOf(id)
    const overdraft_limit = (-survey.lowest).toString()
    const found = known.get(account)
    if (!found) {
      const terms = { type: 'liability', asset: ASSET, overdraft_limit } as const
      await ask(openAccount, { book, account, name: `Account ${id}`, ...terms }, survey.opened)
    } else if (found.overdraft !== null && found.overdraft < -survey.lowest) {
      const velocity_limits = [...found.limits]
      await ask(changeTerms, { book, account, overdraft_limit, velocity_limits }, survey.opened)
    }
  }
  await inFlight(accounts.keys(), IN_FLIGHT, provide, signal)
}
