import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { depositFunds, transferByCard, withdrawCash } from '../commands/card_transactions.ts'
import { registerCustomer } from '../commands/customers.ts'
import { openDeposit } from '../commands/deposits.ts'
import { changeGating, freezeAccount, openAccount } from '../commands/ledger/index.ts'
import { installMachine, loadMachine } from '../commands/machines.ts'
import { businessDayAfter, heldParts, machineAccounts } from '../domain/machines.ts'
import {
  answerOf,
  BENS,
  type Branch,
  CHECKING,
  codeOf,
  NOON,
  openBranch,
  SAVINGS,
} from './machine-support.ts'

const midnight = (day: string): string => `${day}T00:00:00.000Z`

describe('a business day', () => {
  test.each([
    ['Tuesday', '2026-03-10T00:00:00.000Z', '2026-03-11', '2026-03-12'],
    ['Thursday', '2026-03-12T23:59:59.999Z', '2026-03-13', '2026-03-16'],
    ['Friday', '2026-03-13T23:59:59.999Z', '2026-03-16', '2026-03-17'],
    ['Saturday', '2026-03-14T00:00:00.000Z', '2026-03-16', '2026-03-17'],
    ['Sunday', '2026-03-15T23:59:59.999Z', '2026-03-16', '2026-03-17'],
    ['the last Thursday of a year', '2026-12-31T12:00:00.000Z', '2027-01-01', '2027-01-04'],
    ['a Friday before a leap day', '2024-02-23T12:00:00.000Z', '2024-02-26', '2024-02-27'],
    ['the day before a leap day', '2024-02-28T12:00:00.000Z', '2024-02-29', '2024-03-01'],
  ])('after %s', (_day, at, first, second) => {
    expect(businessDayAfter(at, 1)).toBe(midnight(first))
    expect(businessDayAfter(at, 2)).toBe(midnight(second))
  })

  /** By the names of the days, one after another. */
  const weekdaysAfter = (at: Date): string[] =>
    Array.from(
      { length: 30 },
      (_, n) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + n + 1)),
    )
      .filter((day) => !/^(Sat|Sun)/.test(day.toUTCString()))
      .map((day) => day.toISOString())

  test('is the nth day on the calendar that is no weekend', () => {
    const [min, max] = [new Date('1971-01-01'), new Date('2199-12-31')]
    fc.assert(
      fc.property(
        fc.date({ min, max, noInvalidDate: true }),
        fc.integer({ min: 1, max: 15 }),
        (at, n) => {
          expect(businessDayAfter(at.toISOString(), n)).toBe(weekdaysAfter(at)[n - 1])
        },
      ),
    )
  })
})

describe('of a deposit on a Tuesday', () => {
  const [wednesday, thursday] = [midnight('2026-03-11'), midnight('2026-03-12')]
  const huge = 10n ** 23n
  test.each([
    ['cash', 1n, []],
    ['cash', 20_000n, []],
    ['cash', 20_001n, [{ amount: '1', until: wednesday }]],
    ['cash', huge, [{ amount: `${huge - 20_000n}`, until: wednesday }]],
    ['check', 1n, [{ amount: '1', until: wednesday }]],
    ['check', 20_000n, [{ amount: '20000', until: wednesday }]],
    [
      'check',
      20_001n,
      [
        { amount: '20000', until: wednesday },
        { amount: '1', until: thursday },
      ],
    ],
    [
      'check',
      huge,
      [
        { amount: '20000', until: wednesday },
        { amount: `${huge - 20_000n}`, until: thursday },
      ],
    ],
  ] as const)('by %s of %d cents is held: %j', (kind, amount, held) => {
    expect(heldParts(kind, amount, NOON)).toEqual(held)
  })
})

const atMachine = { book: 'main', account: CHECKING, machine: '1' }
const withdrawing =
  ({ ask }: Branch, more: object = {}) =>
  (amount: string, input: object = {}) =>
    ask(withdrawCash, { ...atMachine, amount, ...input }, more)

describe('at a machine', () => {
  test('cash comes out of the cassette, with a reference and the balance it left', async () => {
    const branch = await openBranch()
    const entry = answerOf(await withdrawing(branch, await branch.holder(CHECKING))('6000'))
    expect(entry).toMatchObject({ kind: 'withdrawal', metadata: { machine: '1' } })
    expect(entry.reference).toMatch(/^TXN-20260310-[0-9A-Z]{6}$/)
    const { cassette } = machineAccounts('1')
    expect(entry.lines).toMatchObject([
      { account: CHECKING, direction: 'debit', balance: '94000' },
      { account: cassette, direction: 'credit', balance: `${500 * 2000 - 6000}` },
    ])
  })

  test('what is wrong is told in order: the account, its money, its limit, the notes', async () => {
    const branch = await openBranch(1)
    const withdraw = withdrawing(branch)
    expect(codeOf(await withdraw('4000'))).toBe('INSUFFICIENT_FUNDS')
    expect(await withdraw('4000')).toMatchObject({
      facts: { account: 'cash:machines:1:twenties', available: '2000', requested: '4000' },
    })
    expect(codeOf(await withdraw('52000'))).toBe('VELOCITY_LIMIT')
    expect(await withdraw('102000')).toMatchObject({
      ...{ refused: 'INSUFFICIENT_FUNDS', facts: { account: CHECKING } },
    })
    expect(codeOf(await withdraw('2000', { machine: '2' }))).toBe('ACCOUNT_NOT_FOUND')
    answerOf(await branch.ask(freezeAccount, { book: 'main', account: CHECKING, reason: 'x' }))
    expect(codeOf(await withdraw('102000'))).toBe('ACCOUNT_FROZEN')
    expect(await branch.stands(CHECKING)).toMatchObject({ balance: 100_000n })
  })

  test('the notes run out after the last one, and come back with a load', async () => {
    const branch = await openBranch(2)
    const withdraw = withdrawing(branch)
    const outcomes = await Promise.all(['2000', '2000', '2000'].map((amount) => withdraw(amount)))
    expect(outcomes.map(codeOf)).toEqual([undefined, undefined, 'INSUFFICIENT_FUNDS'])
    expect(codeOf(await branch.ask(loadMachine, { book: 'main', machine: '1', twenties: 1 }))).toBe(
      'INSUFFICIENT_FUNDS',
    )
    // Notes that were paid in are not given out again.
    const cash = { ...atMachine, account: BENS, amount: '2000', kind: 'cash' as const }
    answerOf(await branch.ask(depositFunds, cash))
    expect(codeOf(await withdraw('2000'))).toBe('INSUFFICIENT_FUNDS')
  })

  test('a machine is installed once, and another shares the accounts of the bank', async () => {
    const { ask, types } = await openBranch()
    const before = types('book-main').length
    answerOf(await ask(installMachine, { book: 'main', machine: '1' }))
    expect(types('book-main').length).toBe(before)
    answerOf(await ask(installMachine, { book: 'main', machine: '2' }))
    expect(types('book-main').slice(before)).toEqual(['AccountOpened', 'AccountOpened'])
  })

  test.each([
    [withdrawCash, { ...atMachine, amount: '2000' }],
    [depositFunds, { ...atMachine, amount: '2000', kind: 'cash' as const }],
    [transferByCard, { book: 'main', account: CHECKING, amount: '1', to_number: '1000-0002-0001' }],
  ])('nobody moves the money of somebody else: %#', async (command, input) => {
    const { ask, holder, stands } = await openBranch()
    const one = command as typeof withdrawCash
    expect(codeOf(await ask(one, input as never, await holder(BENS)))).toBe('ACCOUNT_NOT_FOUND')
    expect(await stands(CHECKING)).toMatchObject({ balance: 100_000n })
    answerOf(await ask(one, input as never, await holder(CHECKING)))
    const cassette = { ...input, account: 'cash:machines:1:deposits' }
    expect(codeOf(await ask(one, cassette as never, await holder(BENS)))).toBe('ACCOUNT_NOT_FOUND')
  })

  test('a key moves money once, however often and late it comes', async () => {
    const branch = await openBranch()
    const withdraw = withdrawing(branch, { key: 'k1' })
    const entries = (await Promise.all([withdraw('50000'), withdraw('50000')])).map(answerOf)
    expect(entries[1]).toEqual(entries[0])
    expect(answerOf(await withdraw('50000'))).toEqual(entries[0])
    expect(codeOf(await withdraw('2000'))).toBe('IDEMPOTENCY_KEY_REUSED')
    expect(await branch.stands(CHECKING)).toMatchObject({ balance: 50_000n })
  })

  test('a deposit is there at once and free in parts', async () => {
    const branch = await openBranch()
    const check = { ...atMachine, account: BENS, kind: 'check' as const, check_number: '77' }
    const entry = answerOf(await branch.ask(depositFunds, { ...check, amount: '50000' }))
    expect(entry).toMatchObject({ kind: 'deposit_check', description: 'Check Deposit (Check #77)' })
    expect(entry.holds?.map(({ amount }) => amount)).toEqual(['20000', '30000'])
    expect(await branch.stands(BENS)).toEqual({ balance: 60_000n, available: 10_000n })
    const spend = withdrawing(branch)
    const bens = { account: BENS }
    branch.go('2026-03-10T23:59:59.999Z')
    expect(codeOf(await spend('12000', bens))).toBe('INSUFFICIENT_FUNDS')
    branch.go(midnight('2026-03-11'))
    expect(codeOf(await spend('30000', bens))).toBeUndefined()
    expect(codeOf(await spend('2000', bens))).toBe('INSUFFICIENT_FUNDS')
    branch.go(midnight('2026-03-12'))
    expect(codeOf(await spend('30000', bens))).toBeUndefined()
  })

  test('a transfer has a reference on each side and is free at once', async () => {
    const branch = await openBranch()
    const { ask, stands } = branch
    const transfer = (to_number: string, amount: string, account = CHECKING) =>
      ask(transferByCard, { book: 'main', account, to_number, amount })
    const entry = answerOf(await transfer('1000-0002-0001', '12345'))
    expect(entry.metadata).toMatchObject({ from: CHECKING, to: BENS })
    expect(entry.metadata?.reference_in).toMatch(/^TXN-20260310-[0-9A-Z]{6}$/)
    expect(entry.metadata?.reference_in).not.toBe(entry.reference)
    expect(await stands(BENS)).toEqual({ balance: 22_345n, available: 22_345n })
    answerOf(await transfer('1000-0001-0002', '1'))
    expect(await stands(SAVINGS)).toMatchObject({ balance: 50_001n })
  })

  test('a number that is none pays nobody, whatever accounts there are', async () => {
    const { ask, holder } = await openBranch()
    const { customer } = answerOf(await ask(registerCustomer, { name: 'Nobody' }))
    const named = { book: 'main', customer, account_number: 'NOBODY', product: 'checking' } as const
    answerOf(await ask(openDeposit, named))
    const transfer = { book: 'main', account: CHECKING, to_number: '???', amount: '777' }
    expect(codeOf(await ask(transferByCard, transfer, await holder(CHECKING)))).toBe(
      'ACCOUNT_NOT_FOUND',
    )
  })

  test('what is wrong with a transfer is told in order', async () => {
    const { ask } = await openBranch()
    const transfer = (to_number: string, amount: string) =>
      ask(transferByCard, { book: 'main', account: CHECKING, to_number, amount })
    expect(codeOf(await transfer('1000-0002-0001', '100001'))).toBe('INSUFFICIENT_FUNDS')
    const freeze = (account: string) => ask(freezeAccount, { book: 'main', account, reason: 'x' })
    answerOf(await freeze(BENS))
    expect(codeOf(await transfer('1000-0002-0001', '100001'))).toBe('TARGET_UNAVAILABLE')
    expect(codeOf(await transfer('1000-0001-0001', '100001'))).toBe('SAME_ACCOUNT')
    for (const nowhere of ['1000-0009-0001', 'vault', '?', 'cash:vault', '1000-0002-000']) {
      expect(codeOf(await transfer(nowhere, '100001'))).toBe('ACCOUNT_NOT_FOUND')
    }
    // Nobody's, and in another asset: neither is there to be paid into.
    const other = { book: 'main', type: 'liability', asset: 'USD/2', name: 'x' } as const
    answerOf(await ask(openAccount, { ...other, account: 'customers:77' }))
    const kes = { ...other, account: 'customers:88', asset: 'KES/2', owner: 'ada' }
    answerOf(await ask(openAccount, kes))
    for (const number of ['77', '88']) {
      expect(codeOf(await transfer(number, '1'))).toBe('ACCOUNT_NOT_FOUND')
    }
    answerOf(await freeze(CHECKING))
    expect(codeOf(await transfer('?', '100001'))).toBe('ACCOUNT_FROZEN')
  })

  test('what the risk gate holds or refuses is declined, where the account passes it', async () => {
    const { ask, stands, types } = await openBranch()
    const at = { book: 'main', account: CHECKING }
    const transfer = (amount: string) =>
      ask(transferByCard, { ...at, to_number: '1000-0002-0001', amount })
    // The plain gate of these tests goes by the last digit.
    answerOf(await transfer('109'))
    answerOf(await ask(changeGating, { ...at, risk: 'gate' }))
    answerOf(await transfer('101'))
    for (const amount of ['108', '109']) {
      expect(codeOf(await transfer(amount))).toBe('TRANSFER_DECLINED')
      expect(types('book-main').at(-1)).toBe('TransferDeclined')
    }
    answerOf(await ask(withdrawCash, { ...at, machine: '1', amount: '2000' }))
    const balance = 100_000n - 109n - 101n - 2_000n
    expect(await stands(CHECKING)).toEqual({ balance, available: balance })
  })

  test('a declined request is declined again under its key', async () => {
    const { ask, types } = await openBranch()
    const at = { book: 'main', account: CHECKING }
    answerOf(await ask(changeGating, { ...at, risk: 'gate' }))
    const again = { ...at, to_number: '1000-0002-0001', amount: '109' }
    const before = types('book-main').length
    for (const _time of [1, 2]) {
      expect(codeOf(await ask(transferByCard, again, { key: 'k1' }))).toBe('TRANSFER_DECLINED')
    }
    expect(types('book-main')).toHaveLength(before + 1)
  })
})
