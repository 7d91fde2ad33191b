import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { transferByCard, withdrawCash } from '../commands/card_transactions.ts'
import { bringForward, coverDeposit, openDeposit } from '../commands/deposits.ts'
import { freezeAccount } from '../commands/ledger/index.ts'
import {
  AccountNumber,
  accountCodeOf,
  accountNumberOf,
  bankNumberOf,
  findableCode,
  maskAccountNumber,
} from '../domain/deposits.ts'
import { AccountCode } from '../domain/ledger/events.ts'
import { VAULT } from '../domain/machines.ts'
import { answerOf, BENS, CHECKING, codeOf, openBranch, SAVINGS } from './machine-support.ts'

const book = 'main'

describe('an account number', () => {
  const numbers = fc.stringMatching(/^[0-9A-Z][0-9A-Z-]{0,19}$/)

  test('and its code say each other, and the code is one of the book', () => {
    fc.assert(
      fc.property(numbers, (number) => {
        expect(AccountNumber.safeParse(number).success).toBe(true)
        const code = accountCodeOf(number)
        expect(AccountCode.safeParse(code).success).toBe(true)
        expect(accountNumberOf(code)).toBe(number)
        expect(findableCode(number)).toBe(code)
      }),
    )
  })

  test('is of two accounts never the same code', () => {
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        expect(accountCodeOf(one) === accountCodeOf(other)).toBe(one === other)
      }),
    )
  })

  test('leads nowhere when nobody can have it, whatever was typed', () => {
    for (const typed of ['', '-1', 'abc', 'A:B', 'A B', 'Ä', '1'.repeat(21), '../x', "'", '\0']) {
      expect(findableCode(typed)).toBeUndefined()
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 24 }), (typed) => {
        const code = findableCode(typed)
        if (code !== undefined) expect(accountNumberOf(code)).toBe(typed)
      }),
    )
  })

  test('shows its last four, and where its dashes are', () => {
    expect(maskAccountNumber('1000-0001-0001')).toBe('XXXX-XXXX-0001')
    expect(maskAccountNumber('AB-12345678')).toBe('XX-XXXX5678')
    fc.assert(
      fc.property(numbers, (number) => {
        const masked = maskAccountNumber(number)
        expect(masked).toHaveLength(number.length)
        expect(masked.slice(-4)).toBe(number.slice(-4))
        expect(masked.slice(0, -4)).toMatch(/^[X-]*$/)
      }),
    )
  })
})

describe('a customer', () => {
  const wanted = { book, account_number: '1000-0003-0001', product: 'checking' } as const

  test('is given an account with a number, an id and the limits of a card', async () => {
    const { ask, holder, stands } = await openBranch()
    const customer = (await holder(CHECKING)).actor.id
    const first = answerOf(await ask(openDeposit, { ...wanted, customer }))
    expect(first).toMatchObject({ account: 'customers:1000-0003-0001', id: 4, product: 'checking' })
    const next = { ...wanted, customer, account_number: '1000-0003-0002' }
    expect(answerOf(await ask(openDeposit, next)).id).toBe(5)
    const { account } = first
    answerOf(await ask(bringForward, { book, account, amount: '100000' }))
    const cash = { book, account, machine: '1' }
    answerOf(await ask(withdrawCash, { ...cash, amount: '50000' }))
    expect(codeOf(await ask(withdrawCash, { ...cash, amount: '2000' }))).toBe('VELOCITY_LIMIT')
    expect(await stands(account)).toMatchObject({ balance: 50_000n })
  })

  test('is given none twice, and none when he is not there', async () => {
    const { ask, holder } = await openBranch()
    const customer = (await holder(CHECKING)).actor.id
    const twice = { ...wanted, account_number: '1000-0001-0001' }
    expect(codeOf(await ask(openDeposit, { ...twice, customer }))).toBe('ACCOUNT_EXISTS')
    expect(codeOf(await ask(openDeposit, { ...wanted, customer: 'nobody' }))).toBe(
      'CUSTOMER_NOT_FOUND',
    )
    const euros = { ...wanted, customer, asset: 'EUR/2' }
    expect(codeOf(await ask(openDeposit, euros))).toBe('ASSET_UNKNOWN')
  })

  test('is shown no number that was used up, when nothing was done but to try', async () => {
    const { ask, holder, types } = await openBranch()
    const customer = (await holder(CHECKING)).actor.id
    const before = types('sequence-accounts')
    answerOf(await ask(openDeposit, { ...wanted, customer }, { dryRun: true }))
    expect(types('sequence-accounts')).toEqual(before)
    expect(answerOf(await ask(openDeposit, { ...wanted, customer })).id).toBe(4)
  })
})

describe('a number of the bank', () => {
  const numbers = Array.from({ length: 20_000 }, (_, id) => bankNumberOf(id + 1))

  test('is given once, and tells nobody how many there are', () => {
    expect(new Set(numbers).size).toBe(numbers.length)
    expect([...numbers].sort()).not.toEqual(numbers)
  })

  test('is 2231, eight digits and the check digit of Luhn', () => {
    const sumOf = (number: string): number =>
      [...number].reverse().reduce((sum, digit, index) => {
        const value = Number(digit) * (1 + (index % 2))
        return sum + Math.floor(value / 10) + (value % 10)
      }, 0)
    for (const number of numbers) {
      expect(number).toMatch(/^2231\d{9}$/)
      expect(sumOf(number) % 10).toBe(0)
    }
  })
})

describe('a balance is brought forward', () => {
  test('onto what the bank owes and onto what it has, each on its own side', async () => {
    const { ask, stands } = await openBranch()
    const before = (await stands(VAULT)).balance
    const bring = (account: string) => ask(bringForward, { book, account, amount: '700' })
    const entry = answerOf(await bring(CHECKING))
    expect(entry).toMatchObject({ kind: 'opening_balance' })
    expect(entry.lines).toMatchObject([
      { account: CHECKING, direction: 'credit', balance: '100700' },
      { account: 'equity:opening-balances', direction: 'debit' },
    ])
    expect(answerOf(await bring(VAULT)).lines).toMatchObject([
      { account: VAULT, direction: 'debit', balance: `${before + 700n}` },
      { account: 'equity:opening-balances', direction: 'credit' },
    ])
  })

  test('not onto an account that is frozen or not there', async () => {
    const { ask } = await openBranch()
    const bring = (account: string) => ask(bringForward, { book, account, amount: '1' })
    expect(codeOf(await bring('customers:nowhere'))).toBe('ACCOUNT_NOT_FOUND')
    answerOf(await ask(freezeAccount, { book, account: BENS, reason: 'x' }))
    expect(codeOf(await bring(BENS))).toBe('ACCOUNT_FROZEN')
  })
})

describe('protection by savings', () => {
  test('is chosen by their owner, for his own accounts only', async () => {
    const { ask, holder } = await openBranch()
    const [ada, ben] = [await holder(CHECKING), await holder(BENS)]
    const choose = (account: string, covered_by: string | null, who: object) =>
      ask(coverDeposit, { book, account, covered_by }, who)
    for (const [account, by, who] of [
      [CHECKING, SAVINGS, ben],
      [BENS, SAVINGS, ben],
      [CHECKING, BENS, ada],
      [CHECKING, 'customers:nowhere', ada],
      [CHECKING, null, ben],
    ] as const) {
      expect(codeOf(await choose(account, by, who))).toBe('ACCOUNT_NOT_FOUND')
    }
    answerOf(await choose(CHECKING, SAVINGS, ada))
    expect(codeOf(await choose(CHECKING, BENS, {}))).toBe('COVER_UNSUITABLE')
  })

  test('makes up for cash and for transfers, until it is taken away', async () => {
    const { ask, stands, holder } = await openBranch()
    const ada = await holder(CHECKING)
    const choose = (covered_by: string | null) =>
      ask(coverDeposit, { book, account: CHECKING, covered_by }, ada)
    const pay = (amount: string) => ({
      book,
      account: CHECKING,
      to_number: '1000-0002-0001',
      amount,
    })
    answerOf(await choose(SAVINGS))
    answerOf(await ask(transferByCard, pay('90000'), ada))
    const cash = { book, account: CHECKING, machine: '1', amount: '20000' }
    const { lines } = answerOf(await ask(withdrawCash, cash, ada))
    expect(lines[0]).toMatchObject({ account: SAVINGS, amount: '10000', balance: '40000' })
    expect(await stands(CHECKING)).toMatchObject({ balance: 0n })
    expect(codeOf(await ask(transferByCard, pay('40001'), ada))).toBe('INSUFFICIENT_FUNDS')
    answerOf(await choose(null))
    expect(codeOf(await ask(transferByCard, pay('1'), ada))).toBe('INSUFFICIENT_FUNDS')
  })

  test('is not used by payments that the machine has no notes for', async () => {
    const { ask, stands } = await openBranch(1)
    answerOf(await ask(coverDeposit, { book, account: BENS, covered_by: null }))
    answerOf(await ask(coverDeposit, { book, account: CHECKING, covered_by: SAVINGS }))
    const pay = { book, account: CHECKING, to_number: '1000-0002-0001', amount: '100000' }
    answerOf(await ask(transferByCard, pay))
    const cash = { book, account: CHECKING, machine: '1', amount: '4000' }
    expect(await ask(withdrawCash, cash)).toMatchObject({
      ...{ refused: 'INSUFFICIENT_FUNDS', facts: { account: 'cash:machines:1:twenties' } },
    })
    expect(await stands(SAVINGS)).toMatchObject({ balance: 50_000n })
  })

  test('holds for many payments at once: no more goes than both accounts have', async () => {
    const { ask, stands } = await openBranch()
    answerOf(await ask(coverDeposit, { book, account: CHECKING, covered_by: SAVINGS }))
    const pay = { book, account: CHECKING, to_number: '1000-0002-0001', amount: '7000' }
    const all = Array.from({ length: 40 }, () => ask(transferByCard, pay))
    const codes = (await Promise.all(all)).map(codeOf)
    expect(codes.filter((code) => code === undefined)).toHaveLength(21)
    expect(await stands(CHECKING)).toMatchObject({ balance: 0n })
    expect(await stands(SAVINGS)).toMatchObject({ balance: 3_000n })
    expect(await stands(BENS)).toMatchObject({ balance: 157_000n })
  })
})
