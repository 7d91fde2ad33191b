import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { bringForward, openDeposit } from '../commands/deposits.ts'
import { openBook } from '../commands/ledger/index.ts'
import {
  carryOutPayment,
  openPaymentAccounts,
  requestCounterPayment,
} from '../commands/payments/index.ts'
import { requestStatement } from '../commands/statements.ts'
import { registerUser } from '../commands/users.ts'
import { createStatementMaker } from '../infra/statements/maker.ts'
import { followFreshness } from '../projections/freshness.ts'
import { projections } from '../projections/index.ts'
import { temporaryDirectory } from './infra-support.ts'
import { answerOf, askOn } from './machine-support.ts'
import { typesIn, useWorld } from './people-support.ts'
import { allAt, parseXml, textAt } from './xml-support.ts'

const world = useWorld()
const book = 'savings'
const asset = 'GHS/2'
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const log = { ...quiet, debug: () => undefined }
const given = { account: '' }
const at = (instant: string) => ({ at: new Date(instant) })

beforeAll(async () => {
  const ask = askOn(world.ports)
  const start = at('2026-01-01T08:00:00.000Z')
  answerOf(await ask(openBook, { book, name: 'Savings', assets: [asset] }, start))
  answerOf(await ask(openPaymentAccounts, { book, asset }, start))
  const password = 'a long enough password'
  const ama = { user: 'ama', username: 'ama', password, name: 'Ama <Mensah>' }
  answerOf(await ask(registerUser, { ...ama, roles: ['customer'] }, start))
  const deposit = { book, asset, customer: 'ama', product: 'daily_susu' as const }
  const { account } = answerOf(await ask(openDeposit, { ...deposit, velocity_limits: [] }, start))
  answerOf(await ask(bringForward, { book, account, amount: '10000' }, start))
  given.account = account
  const days = ['2026-01-31T23:59:59.999Z', '2026-02-01T00:00:00.000Z', '2026-02-28T10:00:00.000Z']
  for (const [index, day] of days.entries()) {
    const kind = index === 1 ? ('withdrawal' as const) : ('deposit' as const)
    const cash = { book, account, kind, amount: `${(index + 1) * 1000}` }
    const { payment } = answerOf(await ask(requestCounterPayment, cash, at(day)))
    answerOf(await ask(carryOutPayment, { payment }, at(day)))
  }
})

test('a user has his savings on paper and for programs, the same figures in both', async () => {
  const { ports, database } = world
  const caughtUp = await world.project(projections)
  const freshness = await followFreshness(database, quiet)
  onTestFinished(() => freshness.close())
  const directory = temporaryDirectory()
  const { signal } = new AbortController()
  const making = { ports, database, freshness, directory, log, signal }
  const maker = await createStatementMaker(making)
  // Of two that are asked for in the same millisecond, either may be the first.
  let minute = 0
  const request = async (from: string, to: string, format: 'pdf' | 'camt.053') => {
    const asked = { book, account: given.account, from, to, format }
    minute += 1
    const when = at(`2026-03-01T08:0${minute}:00.000Z`)
    const requested = answerOf(await askOn(ports)(requestStatement, asked, when))
    await caughtUp(await ports.store.head())
    await maker.make(requested.statement)
    expect(await typesIn(ports.store, `statement-${requested.statement}`)).toEqual([
      ...['StatementRequested', 'StatementCompleted'],
    ])
    return requested.file
  }
  const number = given.account.slice('customers:'.length)
  const paper = await request('2026-02-01', '2026-02-28', 'pdf')
  expect(paper).toBe(`stmt-savings-${number}-20260201-20260228.pdf`)
  await request('2026-01-01', '2026-01-31', 'camt.053')
  const file = await request('2026-02-01', '2026-02-28', 'camt.053')
  expect(file).toBe(`stmt-savings-${number}-20260201-20260228.xml`)
  const document = parseXml(readFileSync(join(directory, file), 'utf8'))
  const [statement] = allAt(document, 'BkToCstmrStmt/Stmt')
  if (!statement) throw new Error('there is no statement in it')
  expect(textAt(statement, 'ElctrncSeqNb')).toBe('2')
  expect(textAt(statement, 'Acct/Id/Othr/Id')).toBe(number)
  expect(textAt(statement, 'Acct/Ownr/Nm')).toBe('Ama <Mensah>')
  expect(allAt(statement, 'Bal/Amt').map(({ text }) => text)).toEqual(['110.00', '120.00'])
  const entries = allAt(statement, 'Ntry')
  const signed = entries.map((entry) => `${textAt(entry, 'CdtDbtInd')} ${textAt(entry, 'Amt')}`)
  expect(signed).toEqual(['DBIT 20.00', 'CRDT 30.00'])
  expect(textAt(statement, 'TxsSummry/TtlNtries/TtlNetNtry/Amt')).toBe('10.00')
})
