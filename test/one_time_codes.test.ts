import { describe, expect, test } from 'vitest'
import { execute } from '../commands/kernel.ts'
import { sendCode } from '../commands/one_time_codes.ts'
import { OneTimeCode } from '../domain/one_time_codes.ts'
import { createMemoryPorts } from './support/memory.ts'
import { spec } from './support/spec.ts'

const given = spec(OneTimeCode).given
const at = (seconds: number): string =>
  new Date(Date.UTC(2026, 2, 1, 12) + seconds * 1000).toISOString()

const sentAt = (seconds: number, code_claim = 'right') => ({
  type: 'OneTimeCodeSent',
  data: {
    ...{ user: 'ama', phone_claim: 'phone', code_claim },
    ...{ sent_at: at(seconds), expires_at: at(seconds + 300) },
  },
})
const wrong = { type: 'OneTimeCodeFailed', data: { user: 'ama', failed_at: at(1) } }
const used = { type: 'OneTimeCodeUsed', data: { user: 'ama', used_at: at(1) } }
const use = (code_claim: string, seconds = 2, phone_claim = 'phone') => ({
  ...{ user: 'ama', phone_claim, code_claim, at: at(seconds) },
})

describe('a code', () => {
  test('is sent once a minute at most, whatever became of the last', () => {
    given().when('send', sentAt(0).data).happens('OneTimeCodeSent')
    const facts = { retry_after_s: 1 }
    given(sentAt(0)).when('send', sentAt(59.5).data).rejects('CODE_TOO_SOON', facts)
    given(sentAt(0), used).when('send', sentAt(59).data).rejects('CODE_TOO_SOON', facts)
    given(sentAt(0)).when('send', sentAt(60).data).happens('OneTimeCodeSent')
  })

  test('proves once, until it expires', () => {
    given(sentAt(0)).when('use', use('right', 299)).happens('OneTimeCodeUsed')
    given(sentAt(0)).when('use', use('right', 300)).rejects('CODE_EXPIRED')
    given(sentAt(0), used).when('use', use('right')).rejects('CODE_NOT_SENT')
    given().when('use', use('right')).rejects('CODE_NOT_SENT')
  })

  test('proves nothing about another phone, which costs no try', () => {
    given(sentAt(0))
      .when('use', use('right', 2, 'other'))
      .rejects('CODE_NOT_SENT')
  })

  test('is worth nothing after five wrong ones, and the next begins anew', () => {
    const four = [wrong, wrong, wrong, wrong]
    given(sentAt(0), four).when('use', use('right')).happens('OneTimeCodeUsed')
    given(sentAt(0), four).when('use', use('guess')).happens('OneTimeCodeFailed')
    given(sentAt(0), four, wrong).when('use', use('right')).rejects('CODE_LOCKED')
    given(sentAt(0), four, wrong, sentAt(60, 'next'))
      .when('use', use('next', 61))
      .happens('OneTimeCodeUsed')
  })

  test('is worth nothing when a newer one was sent', () => {
    given(sentAt(0), sentAt(60, 'next')).when('use', use('right', 61)).happens('OneTimeCodeFailed')
  })
})

const MANY = 400

/** Codes that were sent, out of what a world without secrets keeps sealed. */
const sendMany = async () => {
  const ports = createMemoryPorts(() => new Date(at(0)))
  for (let count = 0; count < MANY; count += 1) {
    const actor = { id: `user-${count}`, roles: ['customer' as const] }
    const context = { actor, at: ports.clock(), correlation: 'test' }
    await execute(ports, sendCode, { phone: '+233244123456' }, context)
  }
  const { log } = ports.store
  const codes = log.flatMap(({ type, data }) => {
    if (type !== 'OutboxMessageQueued') return []
    const { sealed } = data as { sealed: string }
    return [String(JSON.parse(Buffer.from(sealed, 'base64').toString()).secret)]
  })
  return { log, codes }
}

test('codes are six digits of all sizes, and stand nowhere in the clear', async () => {
  const { log, codes } = await sendMany()
  expect(codes).toHaveLength(MANY)
  for (const code of codes) expect(code).toMatch(/^\d{6}$/)
  expect(new Set(codes).size).toBeGreaterThan(MANY - 5)
  expect(new Set(codes.map((code) => code.charAt(0))).size).toBe(10)
  const text = JSON.stringify(log.map(({ data }) => data))
  for (const code of codes) expect(text).not.toContain(`"${code}"`)
})
