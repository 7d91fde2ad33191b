import { describe, expect, test } from 'vitest'
import { audiences } from '../domain/sessions.ts'
import { lockOf, Username } from '../domain/usernames.ts'
import { given } from './people-support.ts'

const at = (minute: number, second = 0): string =>
  new Date(Date.UTC(2026, 0, 1, 9, minute, second)).toISOString()

describe('a username', () => {
  const claimed = { type: 'UsernameClaimed', data: { user: 'u1', claimed_at: at(0) } }
  const failed = (minute: number) => ({ type: 'LogInFailed', data: { failed_at: at(minute) } })

  test('belongs to one user', () => {
    const claim = { user: 'u2', abandoned: null, at: at(30) }
    expect(Username.decide.claim(given(Username, []), claim)).toHaveLength(1)
    expect(Username.decide.claim(given(Username, [claimed]), claim)).toMatchObject({
      refused: 'USERNAME_TAKEN',
    })
    expect(Username.decide.claim(given(Username, [claimed]), { ...claim, user: 'u1' })).toEqual([])
  })

  test('is free again a minute after a registration that was abandoned, not before', () => {
    const state = given(Username, [claimed])
    const claim = { user: 'u2', abandoned: 'u1' }
    expect(Username.decide.claim(state, { ...claim, at: at(0, 59) })).toMatchObject({
      refused: 'USERNAME_TAKEN',
    })
    expect(Username.decide.claim(state, { ...claim, at: at(1) })).toHaveLength(1)
    const taken = given(Username, [
      claimed,
      { ...claimed, data: { user: 'u3', claimed_at: at(1) } },
    ])
    expect(Username.decide.claim(taken, { ...claim, at: at(9) })).toMatchObject({
      refused: 'USERNAME_TAKEN',
    })
  })

  test('is locked by five wrong passwords within fifteen minutes, for fifteen more', () => {
    const state = given(Username, [claimed, ...[0, 1, 2, 3, 4].map(failed)])
    expect(lockOf(state, at(5))).toMatchObject({
      refused: 'LOGIN_LOCKED',
      facts: { retry_after_s: 14 * 60 },
    })
    expect(lockOf(state, at(18, 59))).toBeDefined()
    expect(lockOf(state, at(19))).toBeUndefined()
    const spread = given(Username, [claimed, ...[0, 5, 10, 15, 20].map(failed)])
    expect(lockOf(spread, at(20))).toBeUndefined()
  })

  test('while locked neither a right nor a wrong password counts', () => {
    const state = given(Username, [claimed, ...[0, 1, 2, 3, 4].map(failed)])
    for (const correct of [true, false]) {
      expect(Username.decide.judge(state, { correct, at: at(6) })).toMatchObject({
        refused: 'LOGIN_LOCKED',
      })
    }
  })

  test('a right password clears the wrong ones before it', () => {
    const before = given(Username, [claimed, failed(0)])
    const decision = Username.decide.judge(before, { correct: true, at: at(1) })
    expect(decision).toEqual([{ type: 'LogInFailuresCleared', data: { cleared_at: at(1) } }])
    const cleared = { type: 'LogInFailuresCleared', data: { cleared_at: at(1) } }
    const state = given(Username, [claimed, failed(0), cleared])
    expect(Username.decide.judge(state, { correct: true, at: at(2) })).toEqual([])
  })

  test('keeps no more failures in memory than lock it at the most patient product', () => {
    const many = Array.from({ length: 40 }, () => failed(0))
    const mostPatient = Math.max(...Object.values(audiences).map(({ lock }) => lock.failures))
    expect(given(Username, many).failures).toHaveLength(mostPatient)
  })
})
