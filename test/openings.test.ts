import { expect, test } from 'vitest'
import { createEngine } from '../commands/engine.ts'
import { openBook } from '../commands/ledger/index.ts'
import { submitOpening } from '../commands/openings.ts'
import {
  approveOpening,
  dispatchCredentials,
  forgetOpening,
  fulfilOpening,
  rejectOpening,
} from '../commands/openings_decisions.ts'
import type { Ports } from '../commands/ports.ts'
import { importUser } from '../commands/users.ts'
import { Opening, type OpeningSubmission, productOf, unfitBirthDate } from '../domain/openings.ts'
import { answerOf, askOn, codeOf, NOON } from './machine-support.ts'
import { createMemoryPorts, type MemoryPorts, noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const submission: OpeningSubmission = {
  ...{ opening: 'o1', number: 1, book: 'main', asset: 'GHS/2', plan: 'daily_susu', card: 'gold' },
  ...{ application: 'sealed', phone_verified: false, submitted_by: 'carl', submitted_at: NOON },
}
const approval = (by: string) => ({ opening: 'o1', approved_by: by, approved_at: NOON })
const rejection = (by: string) => ({
  ...{ opening: 'o1', reason: 'sealed', rejected_by: by, rejected_at: NOON },
})
const sending = (by: string) => ({ opening: 'o1', message: 'm1', sent_by: by, sent_at: NOON })
const fulfilment = { opening: 'o1', account: 'customers:2231', fulfilled_at: NOON }
const giving = { opening: 'o1', code: 'EMAIL_TAKEN', detail: 'Taken', returned_at: NOON }
const photo = { attachment: 'a'.repeat(43), media_type: 'image/png', bytes: 70 }
const picture = { opening: 'o1', photo, added_at: NOON }
const forgetting = { opening: 'o1', forgotten_at: NOON }

const submitted = { type: 'OpeningSubmitted', data: submission } as const
const approved = { type: 'OpeningApproved', data: approval('mary') } as const
const fulfilled = { type: 'OpeningFulfilled', data: fulfilment } as const
const returned = { type: 'OpeningReturned', data: giving } as const
const rejected = { type: 'OpeningRejected', data: rejection('mary') } as const
const sent = { type: 'OpeningCredentialsSent', data: sending('mary') } as const
const forgotten = { type: 'OpeningForgotten', data: forgetting } as const
const pictured = { type: 'OpeningPhotoAdded', data: picture } as const

const given = spec(Opening).given
const pending = [[submitted], [submitted, pictured], [submitted, approved, returned]]
const decided = [
  [submitted, approved],
  [submitted, approved, fulfilled],
  [submitted, approved, fulfilled, sent],
  [submitted, rejected],
  [submitted, rejected, forgotten],
]

test('an opening that waits is decided about once, by another than who has submitted it', () => {
  for (const before of pending) {
    given(before).when('approve', approval('mary')).gives(approved)
    given(before).when('reject', rejection('mary')).gives(rejected)
    given(before).when('addPhoto', picture).gives(pictured)
  }
  for (const before of decided) {
    given(before).when('approve', approval('dora')).rejects('OPENING_NOT_PENDING')
    given(before).when('reject', rejection('dora')).rejects('OPENING_NOT_PENDING')
    given(before).when('addPhoto', picture).rejects('OPENING_NOT_PENDING')
  }
  for (const before of [...pending, ...decided]) {
    given(before).when('approve', approval('carl')).rejects('MAKER_IS_CHECKER')
    given(before).when('reject', rejection('carl')).rejects('MAKER_IS_CHECKER')
    given(before).when('submit', submission).rejects('OPENING_EXISTS')
  }
})

test('an opening is fulfilled, or waits again, only while it is approved, and once', () => {
  given(submitted, approved).when('fulfil', fulfilment).gives(fulfilled)
  given(submitted, approved).when('giveBack', giving).gives(returned)
  for (const before of [...pending, ...decided.slice(1)]) {
    given(before).when('fulfil', fulfilment).happens()
    given(before).when('giveBack', giving).happens()
  }
})

test('credentials are sent once, after the account is open, by another than the submitter', () => {
  given(submitted, approved, fulfilled).when('sendCredentials', sending('mary')).gives(sent)
  const others = [...pending, ...decided.filter((before) => before.at(-1) !== fulfilled)]
  for (const before of others) {
    given(before).when('sendCredentials', sending('mary')).rejects('OPENING_NOT_APPROVED')
  }
  for (const before of [...pending, ...decided]) {
    given(before).when('sendCredentials', sending('carl')).rejects('MAKER_IS_CHECKER')
  }
})

test('only who was rejected is forgotten', () => {
  given(submitted, rejected).when('forget', forgetting).gives(forgotten)
  given(submitted, rejected, forgotten).when('forget', forgetting).happens()
  for (const before of [...pending, ...decided.slice(0, 3)]) {
    given(before).when('forget', forgetting).rejects('OPENING_NOT_REJECTED')
  }
})

test('an adult is who was born eighteen years ago today, or earlier', () => {
  expect(unfitBirthDate('2022-03-01', '2040-03-01')).toBeUndefined()
  expect(unfitBirthDate('2022-03-02', '2040-03-01')?.refused).toBe('BIRTH_DATE_UNFIT')
  // Of who was born on 29 February, the birthday comes a day later in other years.
  expect(unfitBirthDate('2024-02-29', '2042-02-28')?.refused).toBe('BIRTH_DATE_UNFIT')
  expect(unfitBirthDate('2024-02-29', '2042-03-01')).toBeUndefined()
  expect(unfitBirthDate('2040-03-02', '2040-03-01')?.detail).toContain('future')
  expect(unfitBirthDate('2040-03-01', '2040-03-01')?.detail).toContain('18')
})

test('who contributes by the month saves as a member', () => {
  expect(productOf).toEqual({
    ...{ daily_susu: 'daily_susu', shares: 'shares', monthly_contribution: 'member_savings' },
  })
})

const applicant = {
  ...{ first_name: 'Jane', last_name: 'Smith', date_of_birth: '1992-05-15' },
  id_type: 'ghana_card',
  id_number: 'GHA-123456789-0',
  ...{ phone: '0247654321', email: 'jane@example.com' },
} as const
const asked = { book: 'main', asset: 'GHS/2', plan: 'daily_susu', application: applicant } as const
const second = { actor: { id: 'second', roles: ['manager' as const] } }
const third = { actor: { id: 'third', roles: ['manager' as const] } }

/** A process that ends when it is to append to the stream. */
const endingAt = (ports: MemoryPorts, stream: string): Ports => {
  const engine = createEngine(ports.store, noSnapshots)
  const submit: typeof engine.submit = (decider, to, attempt) =>
    to === stream ? Promise.reject(new Error('ended')) : engine.submit(decider, to, attempt)
  return { ...ports, engine: { ...engine, submit } }
}

const openBank = async () => {
  const ports = createMemoryPorts(() => new Date(NOON))
  const ask = askOn(ports)
  answerOf(await ask(openBook, { book: 'main', name: 'Main', assets: ['GHS/2'] }))
  const { opening } = answerOf(await ask(submitOpening, asked))
  const count = (type: string) => ports.store.log.filter((event) => event.type === type).length
  return { ports, ask, opening, count }
}

test('what a process that ended has left undone is done by the next, for the same customer', async () => {
  const { ports, ask, opening, count } = await openBank()
  answerOf(await ask(approveOpening, { opening }, second))
  // The process ends when the customer is there, and his account is not.
  const ending = endingAt(ports, 'book-main')
  await expect(askOn(ending)(fulfilOpening, { opening })).rejects.toThrow('ended')
  expect([count('UserRegistered'), count('AccountOpened')]).toEqual([1, 0])

  const { account } = answerOf(await ask(fulfilOpening, { opening }, third))
  expect(answerOf(await ask(fulfilOpening, { opening }))).toEqual({ opening, account })
  expect([count('UserRegistered'), count('AccountOpened')]).toEqual([1, 1])
  expect(count('OpeningFulfilled')).toBe(1)
})

test('by the account that is open but not told of, nothing is opened twice', async () => {
  const { ports, ask, opening, count } = await openBank()
  answerOf(await ask(approveOpening, { opening }, second))
  const ending = endingAt(ports, `opening-${opening}`)
  await expect(askOn(ending)(fulfilOpening, { opening })).rejects.toThrow('ended')
  expect([count('AccountOpened'), count('OpeningFulfilled')]).toEqual([1, 0])
  answerOf(await ask(fulfilOpening, { opening }))
  expect([count('AccountOpened'), count('OpeningFulfilled')]).toEqual([1, 1])
})

test('an address that is taken between approval and fulfilment sends the opening back', async () => {
  const { ask, opening, count } = await openBank()
  answerOf(await ask(approveOpening, { opening }, second))
  const other = { username: applicant.email, password: 'x', name: 'Other' }
  answerOf(await ask(importUser, { ...other, roles: ['customer'] }))
  expect(codeOf(await ask(fulfilOpening, { opening }))).toBe('EMAIL_TAKEN')
  expect([count('OpeningReturned'), count('AccountOpened')]).toEqual([1, 0])
  expect(codeOf(await ask(approveOpening, { opening }, second))).toBe('EMAIL_TAKEN')
  answerOf(await ask(rejectOpening, { opening, reason: 'Taken' }, second))
})

test('credentials are queued before they are said to be sent, and once', async () => {
  const { ports, ask, opening, count } = await openBank()
  answerOf(await ask(approveOpening, { opening }, second))
  answerOf(await ask(fulfilOpening, { opening }))
  // Whoever may not send them queues nothing either.
  expect(codeOf(await ask(dispatchCredentials, { opening }))).toBe('MAKER_IS_CHECKER')
  expect(count('OutboxMessageQueued')).toBe(0)
  const ending = endingAt(ports, `opening-${opening}`)
  await expect(askOn(ending)(dispatchCredentials, { opening }, second)).rejects.toThrow('ended')
  expect([count('OutboxMessageQueued'), count('OpeningCredentialsSent')]).toEqual([1, 0])
  answerOf(await ask(dispatchCredentials, { opening }, third))
  expect([count('OutboxMessageQueued'), count('OpeningCredentialsSent')]).toEqual([1, 1])
})

test('forgetting destroys the key of the applicant, also when it was decided on before', async () => {
  const { ports, ask, opening } = await openBank()
  const lost: string[] = []
  const vault = { ...ports.vault, forget: async (subject: string) => void lost.push(subject) }
  answerOf(await ask(rejectOpening, { opening }, second))
  const forgetful = askOn({ ...ports, vault })
  answerOf(await forgetful(forgetOpening, { opening }))
  answerOf(await forgetful(forgetOpening, { opening }))
  expect(lost).toEqual([opening, opening])
})
