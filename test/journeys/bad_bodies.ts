/** What a client must not send, and what is said to him. */
import { transferOf } from '../support/bank.ts'

export const at = '/v1/books/bank'
export const good = transferOf('cash:vault', 'customers:ada', '100')
const line = (account: string, direction: string, amount: string) => ({
  account,
  direction,
  amount,
})
export const balanced = [line('cash:vault', 'debit', '1'), line('customers:ada', 'credit', '1')]

type Refused = readonly [what: string, body: unknown, field: string]

/** By address: bodies that its schema refuses, and the field that is at fault. */
export const refusedBodies: Readonly<Record<string, readonly Refused[]>> = {
  [`${at}/transfers`]: [
    ['no body', undefined, 'from'],
    ['a list', [], '(body)'],
    ['null', null, '(body)'],
    ['a text', 'x', '(body)'],
    ['an unknown field', { ...good, colour: 'red' }, 'colour'],
    ['a field of the address', { ...good, book: 'other' }, 'book'],
    ['a missing field', { from: 'a', to: 'b' }, 'amount'],
    ['a number for an amount', { ...good, amount: 100 }, 'amount'],
    ['a negative amount', { ...good, amount: '-100' }, 'amount'],
    ['zero', { ...good, amount: '0' }, 'amount'],
    ['a fraction', { ...good, amount: '1.5' }, 'amount'],
    ['an exponent', { ...good, amount: '1e5' }, 'amount'],
    ['leading zeros', { ...good, amount: '0100' }, 'amount'],
    ['spaces', { ...good, amount: ' 100' }, 'amount'],
    ['other digits', { ...good, amount: '١٠٠' }, 'amount'],
    ['25 digits', { ...good, amount: '1'.repeat(25) }, 'amount'],
    ['an empty amount', { ...good, amount: '' }, 'amount'],
    ['no amount', { ...good, amount: null }, 'amount'],
    ['a list for an account', { ...good, from: ['cash:vault'] }, 'from'],
    ['capital letters', { ...good, from: 'CASH' }, 'from'],
    ['an over-long account', { ...good, from: 'a'.repeat(129) }, 'from'],
    ['too many parts', { ...good, from: 'a:b:c:d:e:f:g:h:i' }, 'from'],
    ['an over-long description', { ...good, description: 'x'.repeat(257) }, 'description'],
    ['a NUL in a text', { ...good, description: 'a\u0000b' }, 'description'],
    ['half a character in a text', { ...good, description: 'a\ud800b' }, 'description'],
    ['a NUL in a reference', { ...good, reference: 'a\u0000b' }, 'reference'],
    ['an empty reference', { ...good, reference: '  ' }, 'reference'],
    ['a NUL in metadata', { ...good, metadata: { note: 'a\u0000b' } }, 'metadata'],
    ['a NUL in a name of metadata', { ...good, metadata: { 'a\u0000b': 'x' } }, 'metadata'],
    ['half a character in metadata', { ...good, metadata: { note: '\udc00' } }, 'metadata'],
    ['a number in metadata', { ...good, metadata: { note: 1 } }, 'metadata'],
    [
      'too much metadata',
      {
        ...good,
        metadata: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, ''])),
      },
      'metadata',
    ],
    ['a day that is none', { ...good, value_date: '2026-02-30' }, 'value_date'],
    ['an instant for a day', { ...good, value_date: '2026-02-03T00:00:00.000Z' }, 'value_date'],
    [
      'an instant without milliseconds',
      { ...good, hold_until: '2099-01-01T00:00:00Z' },
      'hold_until',
    ],
    ['a local instant', { ...good, hold_until: '2099-01-01T00:00:00.000+03:00' }, 'hold_until'],
    ['a kind with spaces', { ...good, kind: 'my kind' }, 'kind'],
    [
      'an empty condition',
      { ...good, conditions: [{ account: 'a', field: 'balance' }] },
      'conditions',
    ],
  ],
  [`${at}/entries`]: [
    ['one line', { lines: balanced.slice(1) }, 'lines'],
    ['no lines', { lines: [] }, 'lines'],
    ['129 lines', { lines: Array.from({ length: 129 }, () => balanced[0]) }, 'lines'],
    ['a third direction', { lines: [line('a', 'up', '1'), balanced[1]] }, 'lines.0.direction'],
    ['nine holds', { lines: balanced, holds: Array.from({ length: 9 }, () => ({})) }, 'holds'],
  ],
  [`${at}/batches`]: [
    ['no entries', { entries: [] }, 'entries'],
    ['a third mode', { mode: 'some', entries: [{ lines: balanced }] }, 'mode'],
    ['a fault deep inside', { entries: [{ lines: balanced }, { lines: [] }] }, 'entries.1.lines'],
  ],
  [`${at}/accounts`]: [
    ['an unknown type', { account: 'a', type: 'thing', asset: 'USD/2', name: 'A' }, 'type'],
    ['an asset without places', { account: 'a', type: 'asset', asset: 'USD', name: 'A' }, 'asset'],
    ['an asset of 19 places', { account: 'a', type: 'asset', asset: 'USD/19', name: 'A' }, 'asset'],
    ['an empty name', { account: 'a', type: 'asset', asset: 'USD/2', name: ' ' }, 'name'],
    ['a NUL in a name', { account: 'a', type: 'asset', asset: 'USD/2', name: 'A\u0000' }, 'name'],
    [
      'a negative overdraft',
      { account: 'a', type: 'asset', asset: 'USD/2', name: 'A', overdraft_limit: '-1' },
      'overdraft_limit',
    ],
  ],
  [`${at}/accounts/customers:ada/freeze`]: [
    ['no reason', {}, 'reason'],
    ['a NUL in the reason', { reason: 'a\u0000b' }, 'reason'],
  ],
  [`${at}/periods`]: [
    ['a day that is none', { through: '2025-13-01' }, 'through'],
    ['a year that the read models do not know', { through: '0000-01-01' }, 'through'],
  ],
  '/v1/books': [
    ['an upper-case name', { book: 'Bank', name: 'x', assets: ['USD/2'] }, 'book'],
    ['no assets', { book: 'x', name: 'x', assets: [] }, 'assets'],
    ['half a character in a name', { book: 'x', name: '\ud800', assets: ['USD/2'] }, 'name'],
  ],
  '/v1/tokens': [
    ['a number for a password', { username: 'x', password: 1 }, 'password'],
    ['an odd audience', { username: 'x', password: 'x', audience: '../..' }, 'audience'],
  ],
  '/v1/users': [
    [
      'a short password',
      { username: 'x', password: 'short', name: 'X', roles: ['staff'] },
      'password',
    ],
    [
      'a role for machines',
      { username: 'x', password: 'a long password', name: 'X', roles: ['system'] },
      'roles.0',
    ],
    [
      'a role twice',
      { username: 'x', password: 'a long password', name: 'X', roles: ['staff', 'staff'] },
      'roles',
    ],
  ],
}

/** Refused by the ledger and not by a schema; the facts name what is at fault. */
export const refusedByRules: readonly (readonly [
  what: string,
  path: string,
  body: object,
  code: string,
])[] = [
  [
    'an asset the book does not keep',
    `${at}/accounts`,
    { account: 'a', type: 'asset', asset: 'EUR/2', name: 'A' },
    'ASSET_UNKNOWN',
  ],
  [
    'an account that is not there',
    `${at}/transfers`,
    transferOf('nobody', 'customers:ada', '1'),
    'ACCOUNT_NOT_FOUND',
  ],
  ['a book that is not there', '/v1/books/nowhere/transfers', good, 'BOOK_NOT_FOUND'],
  [
    'one account twice',
    `${at}/transfers`,
    transferOf('cash:vault', 'cash:vault', '1'),
    'SAME_ACCOUNT',
  ],
  [
    'a value date far away',
    `${at}/transfers`,
    { ...good, value_date: '1999-01-01' },
    'VALUE_DATE_TOO_FAR',
  ],
  [
    'a hold that ends in the past',
    `${at}/transfers`,
    { ...good, hold_until: '2001-01-01T00:00:00.000Z' },
    'HOLD_EXPIRY_PAST',
  ],
  [
    'a time zone on Mars',
    '/v1/books',
    { book: 'mars', name: 'x', assets: ['USD/2'], time_zone: 'Mars/X' },
    'TIME_ZONE_UNKNOWN',
  ],
  ['an unknown hold', `${at}/holds/none/release`, {}, 'HOLD_NOT_OPEN'],
  ['an unknown entry', `${at}/entries/none/reversal`, {}, 'ENTRY_NOT_FOUND'],
  ['an unknown user', '/v1/users/none/disable', { reason: 'x' }, 'USER_NOT_FOUND'],
  ['an unknown key', '/v1/api-keys/none/revoke', { reason: 'x' }, 'API_KEY_NOT_FOUND'],
  ['an unknown session', '/v1/sessions/none/end', {}, 'SESSION_NOT_FOUND'],
]
