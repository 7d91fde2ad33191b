import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { findRunning } from '../infra/running.ts'
import { temporaryDirectory } from './infra-support.ts'
import { useDaybook } from './support/stack.ts'

type Ended = { readonly code: number | null; readonly out: string; readonly errors: string }

/** Runs the command line as a person would; `until` is sent SIGINT once it appears in the errors. */
const daybook = async (
  directory: string,
  args: readonly string[],
  settings: { readonly env?: Readonly<Record<string, string>>; readonly until?: string } = {},
): Promise<Ended> => {
  const child = spawn(process.execPath, ['infra/cli/main.ts', ...args], {
    cwd: new URL('..', import.meta.url),
    env: { PATH: process.env.PATH, DAYBOOK_DATA: directory, ...settings.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
    if (settings.until !== undefined && errors.includes(settings.until)) child.kill('SIGINT')
  })
  const [code] = await once(child, 'close')
  return { code: code as number | null, out, errors }
}

const HEADER =
  'date,account_id,seq,transaction_id,kind,purpose,direction,amount_minor,balance_after_minor,counter_bank,counter_account'

const writeBank = (banks: string): string => {
  const path = join(temporaryDirectory(), 'bank.csv')
  const rows = [
    '1993-01-04,1,1,a1,cash_deposit,,credit,100000,100000,,',
    `1993-01-05,1,2,a2,cash_withdrawal,,debit,30000,${banks},,`,
  ]
  writeFileSync(path, `${[HEADER, ...rows].join('\n')}\n`)
  return path
}

describe('the command line, misused', () => {
  it.each([
    [['replay', '--at', 'yesterday'], 'expected a time such as'],
    [['replay', '--book', 'No Book'], 'a book is lower-case letters'],
    [['rebuild', 'everything'], 'expected all, or one of accounts'],
    [['import', 'bank'], "missing required argument 'file'"],
    [['prove'], "unknown command 'prove'"],
    [['verify', '--quick'], "unknown option '--quick'"],
  ])('%j ends with 2 and says what was wrong', async (args, reason) => {
    const { code, out, errors } = await daybook('/nowhere', args)
    expect(code).toBe(2)
    expect(errors).toContain(reason)
    expect(out).toBe('')
  })

  it('ends with 2 on a faulty configuration, and with 0 when asked for help', async () => {
    const faulty = await daybook('/nowhere', ['status'], { env: { PORT: 'http' } })
    expect(faulty).toMatchObject({ code: 2, out: '' })
    expect(faulty.errors).toContain('PORT: expected a whole number')
    const help = await daybook('/nowhere', ['--help'])
    expect(help.code).toBe(0)
    expect(help.out).toContain('import')
  })
})

describe('the command line beside a Daybook', () => {
  const running = useDaybook()
  const run = (...args: string[]): Promise<Ended> => daybook(running.directory, args)

  it('imports a bank, twice, and shows what it came to', async () => {
    const first = await run('import', 'bank', writeBank('70000'))
    expect(first).toMatchObject({ code: 0, errors: '' })
    expect(first.out).toMatch(/posted now +2\n/)
    const second = await run('import', 'bank', writeBank('70000'))
    expect(second).toMatchObject({ code: 0, errors: '' })
    expect(second.out).toMatch(/already there +2\ncompared +2\nequal +2\ndifferent +0\n/)
  })

  it('ends with 1 where the bank sees it otherwise, and where the file is bad', async () => {
    const different = await run('import', 'bank', writeBank('70001'))
    expect(different.code).toBe(1)
    expect(different.out).toMatch(/customers:1 +a2 +70000 +70001/)
    const bad = await run('import', 'bank', writeBank('seventy'))
    expect(bad.code).toBe(1)
    expect(bad.errors).toContain('line 3: balance_after_minor: ')
  })

  it('replays balances, for people and for machines', async () => {
    const args = ['replay', '--book', 'czech', '--account', 'customers:1']
    const { code, out } = await run(...args)
    expect(code).toBe(0)
    expect(out).toMatch(/czech +customers:1 +liability +CZK\/2 +700\.00 +0\.00 +active/)
    const early = await run(...args, '--at', '1993-01-04T23:00:00Z', '--json')
    expect(JSON.parse(early.out).balances).toMatchObject([{ balance: '100000' }])
    expect((await run('replay', '--account', 'nobody')).code).toBe(1)
  })

  it('rebuilds a read model and tells how far each has come', async () => {
    const rebuilt = await run('rebuild', 'event_index')
    expect(rebuilt).toMatchObject({ code: 0, errors: '' })
    expect(rebuilt.out).toMatch(/event_index +\d+ +\d+\.\d +[\d,]+ events\/s/)
    const status = await run('status')
    expect(status.code).toBe(0)
    expect(status.out).toMatch(/accounts +\d+ +active/)
    expect(status.out).not.toContain('building')
  })

  it('verifies: 0 when all is well, 1 when a read model was tampered with', async () => {
    const well = await run('verify', '--json')
    expect(well.code).toBe(0)
    const report = JSON.parse(well.out)
    expect(report.differences.total).toBe(0)
    expect(report.figures).toMatchObject({ books: 1, entries: 2, lines: 4 })

    const databaseUrl = findRunning(running.directory)?.databaseUrl ?? ''
    const database = await connectPostgres({ url: databaseUrl, name: 'test', max: 1 })
    await database.query(`update accounts set balance = 1 where account = 'customers:1'`)
    await database.end()
    const tampered = await run('verify')
    expect(tampered.code).toBe(1)
    expect(tampered.out).toMatch(
      /accounts, .*customers:1.*: expected balance=70000, found balance=1/,
    )
  })

  it('works on the data of a Daybook that does not run, and leaves it free', async () => {
    await running.stop()
    const replayed = await run('replay', '--account', 'customers:1', '--json')
    expect(replayed.code).toBe(0)
    expect(JSON.parse(replayed.out).balances).toMatchObject([{ balance: '70000' }])
    const interrupted = await daybook(running.directory, ['verify'], { until: 'Read models' })
    expect(interrupted.code).toBe(130)
    await running.restart()
  })
})
