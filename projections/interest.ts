import { dayAfter, lastOfMonth } from '../domain/calendar.ts'
import { interestEvents } from '../domain/interest.ts'
import { projection } from './kernel.ts'
import type { Table } from './table.ts'

/** Accounts that bear interest. */
const interest: Table = {
  name: 'interest',
  columns: {
    book: 'text',
    account: 'text',
    accrues_from: 'date',
    /** When the month that is open is paid: the first of the next. */
    due_on: 'date',
  },
  key: ['book', 'account'],
  indexes: [['due_on', 'book', 'account']],
}

const interestRates: Table = {
  name: 'interest_rates',
  columns: { book: 'text', account: 'text', from_day: 'date', rate_bp: 'integer' },
  key: ['book', 'account', 'from_day'],
}

const interestPeriods: Table = {
  name: 'interest_periods',
  columns: {
    book: 'text',
    account: 'text',
    from_day: 'date',
    through: 'date',
    earned: 'numeric',
    owed: 'numeric',
    revision: 'bigint',
    amount: 'numeric',
    entry: 'text',
    value_date: 'date',
  },
  key: ['book', 'account', 'through'],
}

const accruing = (accrues_from: string) => ({
  ...{ accrues_from, due_on: dayAfter(lastOfMonth(accrues_from), 1) },
})

export const interestBook = projection({
  name: 'interest',
  version: 1,
  tables: [interest, interestRates, interestPeriods],
  schemas: interestEvents,
  on: {
    InterestTermsSet: ({ data: { book, account, from, rate_bp, accrues_from } }, rows) => {
      rows.put(interestRates, { book, account, from_day: from, rate_bp })
      rows.put(interest, { book, account, ...accruing(accrues_from) })
    },
    InterestAccrued: ({ data }, rows) => {
      const { book, account, from, through, earned, owed, revision } = data
      const unpaid = { amount: '0', entry: null, value_date: null }
      rows.put(interestPeriods, {
        ...{ book, account, from_day: from, through, earned, owed, revision, ...unpaid },
      })
      rows.put(interest, { book, account, ...accruing(dayAfter(through, 1)) })
    },
    InterestCapitalised: ({ data }, rows) => {
      const { book, account, through, amount, entry, value_date, owed } = data
      rows.patch(interestPeriods, { book, account, through }, { amount, entry, value_date, owed })
    },
  },
})
