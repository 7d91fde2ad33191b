import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blockCard } from '../commands/cards.ts'
import type { Ports } from '../commands/ports.ts'
import { Card, cardLockOf, isUsable } from '../domain/cards.ts'
import { isRefusal } from '../domain/kernel.ts'
import { ADAS_CARD, answerOf, CHECKING, codeOf, NOON, openBranch } from './machine-support.ts'
import { spec } from './support/spec.ts'

const MINUTE_MS = 60_000
const at = (ms: number): string => new Date(Date.parse(NOON) + ms).toISOString()
const LOCK_END = at(30 * MINUTE_MS)
const given = spec(Card).given

const issued = {
  type: 'CardIssued',
  data: {
    ...{ card: 'c1', customer: 'ada', book: 'main', account: CHECKING, number: 'sealed' },
    ...{ pin_hash: 'hash-1', issued_at: at(-MINUTE_MS) },
  },
}
const failed = (ms: number, locked_until: string | null = null) => ({
  type: 'CardPinFailed',
  data: { card: 'c1', failed_at: at(ms), locked_until },
})
const cleared = { type: 'CardPinCleared', data: { card: 'c1', cleared_at: NOON } }
const twice = [failed(-2), failed(-1)]
const locked = [...twice, failed(0, LOCK_END)]
const guess = (correct: boolean, when = NOON) => ({ card: 'c1', correct, at: when })

describe.each([
  ['a card', [issued]],
  ['a number that no card has', []],
])('wrong PINs on %s', (_whose, before) => {
  test('are counted, and the third in a row locks for half an hour', () => {
    given(before).when('judgePin', guess(false)).gives(failed(0))
    given(before, failed(-1)).when('judgePin', guess(false)).gives(failed(0))
    given(before, twice).when('judgePin', guess(false)).gives(failed(0, LOCK_END))
  })

  test('are decided one after another: the second of two last guesses finds the lock', () => {
    const third = given(before, twice).when('judgePin', guess(false)).events()
    for (const correct of [false, true]) {
      given(before, twice, third)
        .when('judgePin', guess(correct))
        .rejects('CARD_LOCKED', { locked_until: LOCK_END })
    }
  })

  test('lock until the half hour is over, and not a moment longer', () => {
    const last = at(30 * MINUTE_MS - 1)
    given(before, locked).when('judgePin', guess(true, last)).rejects('CARD_LOCKED')
    given(before, locked).when('judgePin', guess(true, LOCK_END)).happens('CardPinCleared')
    expect(cardLockOf(given(before, locked).state, last)).toMatchObject({ refused: 'CARD_LOCKED' })
    expect(cardLockOf(given(before, locked).state, LOCK_END)).toBeUndefined()
  })

  test('are forgotten for a right one only, and not for time gone by', () => {
    const [again] = given(before, locked).when('judgePin', guess(false, LOCK_END)).events()
    expect(again?.data).toMatchObject({ locked_until: at(60 * MINUTE_MS) })
    const yearLater = at(365 * 24 * 60 * MINUTE_MS)
    const [third] = given(before, twice).when('judgePin', guess(false, yearLater)).events()
    expect(third?.data).not.toMatchObject({ locked_until: null })
    given(before, twice, cleared).when('judgePin', guess(false)).gives(failed(0))
    given(before, twice, cleared, failed(-1)).when('judgePin', guess(false)).gives(failed(0))
  })

  test('that there were none leaves nothing to clear', () => {
    given(before).when('judgePin', guess(true)).happens()
  })

  test('give nobody more than three guesses in half an hour, whatever he does', () => {
    const attempt = fc.record({ correct: fc.boolean(), after_ms: fc.nat(40 * MINUTE_MS) })
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 40 }), (attempts) => {
        const history: { type: string; data: object }[] = [...before]
        let now = 0
        let wrong: number[] = []
        for (const { correct, after_ms } of attempts) {
          now += after_ms
          const { outcome } = given(history).when('judgePin', guess(correct, at(now)))
          if (isRefusal(outcome)) continue
          history.push(...outcome)
          wrong = correct ? [] : [...wrong, now]
          const recent = wrong.filter((ms) => ms > now - 30 * MINUTE_MS)
          expect(recent.length).toBeLessThanOrEqual(3)
        }
      }),
    )
  })
})

describe('a card', () => {
  const blocked = { type: 'CardBlocked', data: { card: 'c1', reason: 'lost', blocked_at: NOON } }
  const unblocked = {
    type: 'CardUnblocked',
    data: { card: 'c1', reason: 'found', unblocked_at: NOON },
  }

  test('is issued once, also under a number that was guessed at', () => {
    given().when('issue', issued.data).gives(issued)
    given(issued).when('issue', issued.data).rejects('CARD_EXISTS')
    expect(given(locked, issued).state).toMatchObject({ failures: 0, lockedUntil: null })
  })

  test('is blocked and unblocked, each once, when there is one', () => {
    given(issued).when('block', blocked.data).gives(blocked)
    given(issued, blocked).when('block', blocked.data).happens()
    given(issued, blocked).when('unblock', unblocked.data).gives(unblocked)
    given(issued).when('unblock', unblocked.data).happens()
    given(locked).when('block', blocked.data).rejects('CARD_NOT_FOUND')
    given(locked).when('unblock', unblocked.data).rejects('CARD_NOT_FOUND')
    expect(isUsable(given(issued).state)).toBe(true)
    expect(isUsable(given(issued, blocked).state)).toBe(false)
    expect(isUsable(given(issued, blocked, unblocked).state)).toBe(true)
    expect(isUsable(given(locked).state)).toBe(false)
  })

  test('that is unblocked has its wrong PINs forgotten, also when it was only locked', () => {
    given(issued, locked).when('unblock', unblocked.data).gives(unblocked)
    given(issued, locked, unblocked).when('judgePin', guess(false)).gives(failed(0))
  })

  test('gets a new PIN only against the one that was compared', () => {
    const data = { card: 'c1', pin_hash: 'hash-2', changed_at: NOON }
    const changed = { type: 'CardPinChanged', data }
    given(issued, twice)
      .when('changePin', { ...data, replaces: 'hash-1' })
      .gives(changed)
    given(issued, changed)
      .when('changePin', { ...data, replaces: 'hash-1' })
      .rejects('CARD_CREDENTIALS_INVALID')
    expect(given(issued, twice, changed).state).toMatchObject({ failures: 0, pinHash: 'hash-2' })
  })
})

describe('logging in', () => {
  test('opens a session that only the token leads to', async () => {
    const { ports, logIn, holder } = await openBranch()
    const { token, session, ...rest } = answerOf(await logIn())
    expect(rest).toEqual({ account_number: '1000-0001-0001', customer_name: 'Ada Byron' })
    const found = await ports.cardSessions.use(ports.secrets.digest(token), new Date(NOON))
    const { actor } = await holder(CHECKING)
    expect(found).toMatchObject({ session, customer: actor.id, account: CHECKING })
    const log = JSON.stringify(ports.store.log.map((event) => ({ ...event, position: '' })))
    expect(log).toContain(session)
    expect(log).not.toMatch(new RegExp(`${token}|4000-0001|"7391"|Ada`))
  })

  test('fails alike with a wrong PIN, an unknown card and a blocked one, up to the lock', async () => {
    const branch = await openBranch()
    const { ports, ask, logIn } = branch
    const bens = ports.secrets.claim('card', '4000-0002')
    answerOf(await ask(blockCard, { card: bens, reason: 'lost' }))
    const cards = [
      { ...ADAS_CARD, pin: '0000' },
      { card_number: '4000-9999', pin: '7391' },
      { card_number: '4000-0002', pin: '8024' },
    ]
    for (const code of ['CARD_CREDENTIALS_INVALID', 'CARD_CREDENTIALS_INVALID', 'CARD_LOCKED']) {
      const [first, ...others] = await Promise.all(cards.map((card) => logIn(card)))
      expect(codeOf(first ?? {})).toBe(code)
      for (const other of others) expect(other).toEqual(first)
    }
    for (const { card_number } of cards) {
      const types = branch.types(`card-${ports.secrets.claim('card', card_number)}`)
      expect(types.filter((type) => type === 'CardPinFailed')).toHaveLength(3)
    }
  })

  test('is worth three guesses to whoever sends a hundred at once, the right one among them', async () => {
    const { ports, logIn, types, go } = await openBranch()
    const pins = Array.from({ length: 100 }, (_, n) => (n === 60 ? '7391' : `${1000 + n}`))
    const outcomes = await Promise.all(pins.map((pin) => logIn({ ...ADAS_CARD, pin })))
    const codes = outcomes.map(codeOf)
    expect(codes.filter((code) => code === 'CARD_CREDENTIALS_INVALID')).toHaveLength(2)
    expect(codes.filter((code) => code === 'CARD_LOCKED')).toHaveLength(98)
    const card = ports.secrets.claim('card', ADAS_CARD.card_number)
    expect(types(`card-${card}`)).toEqual(['CardIssued', ...Array(3).fill('CardPinFailed')])
    go(at(30 * MINUTE_MS - 1))
    expect(codeOf(await logIn())).toBe('CARD_LOCKED')
    go(LOCK_END)
    expect(codeOf(await logIn())).toBeUndefined()
  })

  type Wrap = (ports: Ports, block: () => Promise<unknown>) => Partial<Ports>
  const whileCompared: Wrap = ({ secrets }, block) => ({
    secrets: {
      ...secrets,
      verifyPin: async (hash, pin) => {
        await block()
        return secrets.verifyPin(hash, pin)
      },
    },
  })
  const around =
    (when: 'before' | 'after'): Wrap =>
    ({ cardSessions }, block) => ({
      cardSessions: {
        ...cardSessions,
        open: async (...session) => {
          if (when === 'before') await block()
          await cardSessions.open(...session)
          if (when === 'after') await block()
        },
      },
    })

  test.each([
    ['while its PIN is compared', whileCompared],
    ['before its session lives', around('before')],
    ['after its session lives', around('after')],
  ])('with a card that is blocked %s leaves no session', async (_when, wrap) => {
    const { ports, ask, logIn } = await openBranch()
    const card = ports.secrets.claim('card', ADAS_CARD.card_number)
    const block = async () => answerOf(await ask(blockCard, { card, reason: 'lost' }))
    const outcome = await logIn(ADAS_CARD, { ...ports, ...wrap(ports, block) })
    expect(codeOf(outcome)).toBe('CARD_CREDENTIALS_INVALID')
    expect(await ports.cardSessions.ofCard(card)).toEqual([])
  })
})
