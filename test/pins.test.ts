import { describe, expect, test } from 'vitest'
import { logOutCard } from '../commands/card_sessions.ts'
import { blockCard, changePin, issueCard, unblockCard } from '../commands/cards.ts'
import { GivenPin, NewPin, tooCommon } from '../commands/pins.ts'
import { ADAS_CARD, answerOf, BENS, CHECKING, codeOf, NOON, openBranch } from './machine-support.ts'

describe('a PIN as it is typed', () => {
  test.each(['1234', '0000', '12345', '123456', '987654'])('may be %s', (pin) => {
    expect(GivenPin.safeParse(pin).success).toBe(true)
  })
  test.each(['', '123', '1234567', '12a4', ' 1234', '1234\n', '12.4', '-123', '１２３４', '١٢٣٤'])(
    'is not %j',
    (pin) => {
      expect(GivenPin.safeParse(pin).success).toBe(false)
    },
  )
})

describe('a new PIN', () => {
  test.each([
    ...['1111', '00000', '999999', '0123', '1234', '3456', '6789', '12345', '123456'],
    ...['9876', '4321', '3210', '654321', '123', '1234567', 'abcd'],
  ])('is not %s', (pin) => {
    expect(NewPin.safeParse(pin).success).toBe(false)
  })
  // Nearly one digit, nearly a run, around from 9 to 0, and every second digit.
  test.each(['1112', '2111', '1235', '0124', '4320', '7890', '0987', '2143', '123457', '100000'])(
    'may be %s',
    (pin) => {
      expect(NewPin.safeParse(pin).success).toBe(true)
      expect(tooCommon(pin)).toBe(false)
    },
  )
  test.each(['1357', '2468', '1212', '2580'])('that many choose, as %s, is known', (pin) => {
    expect(NewPin.safeParse(pin).success).toBe(true)
    expect(tooCommon(pin)).toBe(true)
  })
})

const setUp = async () => {
  const branch = await openBranch()
  const card = branch.ports.secrets.claim('card', ADAS_CARD.card_number)
  const ada = await branch.holder(CHECKING)
  const change = (current_pin: string, new_pin: string, who: object = ada) =>
    branch.ask(changePin, { card, current_pin, new_pin }, who)
  return { ...branch, card, ada, change }
}

describe('changing a PIN', () => {
  test('lets the new one in, keeps the old one out, and sessions live on', async () => {
    const { ports, logIn, change } = await setUp()
    const { token } = answerOf(await logIn())
    answerOf(await change('7391', '8264'))
    expect(codeOf(await logIn())).toBe('CARD_CREDENTIALS_INVALID')
    expect(codeOf(await logIn({ ...ADAS_CARD, pin: '8264' }))).toBeUndefined()
    expect(await ports.cardSessions.use(ports.secrets.digest(token), new Date(NOON))).toBeDefined()
    const written = JSON.stringify(ports.store.log.map(({ data }) => data))
    expect(written).not.toMatch(/"(7391|8264)"/)
  })

  test('wants the present one, and counts wrong ones as a log-in does', async () => {
    const { logIn, change, types, card } = await setUp()
    expect(codeOf(await change('0000', '8264'))).toBe('CARD_CREDENTIALS_INVALID')
    expect(codeOf(await logIn({ ...ADAS_CARD, pin: '0001' }))).toBe('CARD_CREDENTIALS_INVALID')
    expect(codeOf(await change('0002', '8264'))).toBe('CARD_LOCKED')
    expect(codeOf(await change('7391', '8264'))).toBe('CARD_LOCKED')
    expect(codeOf(await logIn())).toBe('CARD_LOCKED')
    expect(types(`card-${card}`)).not.toContain('CardPinChanged')
  })

  test('repeated with its key changes it once and counts nothing', async () => {
    const { change, ada, types, card } = await setUp()
    const keyed = { ...ada, key: 'lost answer' }
    for (let times = 0; times < 4; times += 1) answerOf(await change('7391', '8264', keyed))
    expect(types(`card-${card}`).filter((type) => type.startsWith('CardPin'))).toEqual([
      'CardPinChanged',
    ])
    expect(codeOf(await change('7391', '9375', keyed))).toBe('CARD_CREDENTIALS_INVALID')
  })

  test('says what is wrong with the new one only to who knows the present one', async () => {
    const { change } = await setUp()
    for (const poor of ['7391', '1357']) {
      expect(codeOf(await change('0000', poor))).toBe('CARD_CREDENTIALS_INVALID')
      expect(codeOf(await change('7391', poor))).toMatch(/^PIN_(UNCHANGED|TOO_COMMON)$/)
    }
  })

  test('twice at once changes it once', async () => {
    const { logIn, change } = await setUp()
    const pins = ['8264', '9375']
    const codes = (await Promise.all(pins.map((pin) => change('7391', pin)))).map(codeOf)
    expect([...codes].sort()).toEqual(['CARD_CREDENTIALS_INVALID', undefined])
    const pin = pins[codes.indexOf(undefined)] ?? ''
    expect(codeOf(await logIn({ ...ADAS_CARD, pin }))).toBeUndefined()
  })

  test('while the old one is compared keeps it out', async () => {
    const { ports, logIn, change, types, card } = await setUp()
    const { secrets } = ports
    const verifyPin: typeof secrets.verifyPin = async (hash, pin) => {
      answerOf(await change('7391', '8264'))
      return secrets.verifyPin(hash, pin)
    }
    const outcome = await logIn(ADAS_CARD, { ...ports, secrets: { ...secrets, verifyPin } })
    expect(codeOf(outcome)).toBe('CARD_CREDENTIALS_INVALID')
    expect(types(`card-${card}`)).toEqual(['CardIssued', 'CardPinChanged', 'CardPinFailed'])
  })

  test('is not looked at while the card is locked', async () => {
    const { ports, logIn } = await setUp()
    const { secrets } = ports
    let compared = 0
    const verifyPin: typeof secrets.verifyPin = (hash, pin) => {
      compared += 1
      return secrets.verifyPin(hash, pin)
    }
    const others = { ...ports, secrets: { ...secrets, verifyPin } }
    for (let tries = 0; tries < 5; tries += 1) await logIn({ ...ADAS_CARD, pin: '0000' }, others)
    expect(compared).toBe(3)
  })

  test('of a card of somebody else is a card that is not there', async () => {
    const { change, holder, types, card } = await setUp()
    const ben = await holder(BENS)
    expect(codeOf(await change('7391', '8264', ben))).toBe('CARD_NOT_FOUND')
    expect(codeOf(await change('0000', '8264', ben))).toBe('CARD_NOT_FOUND')
    expect(types(`card-${card}`)).toEqual(['CardIssued'])
  })
})

describe('a card', () => {
  test('is issued for an account of a customer, under a number of its own', async () => {
    const { ask } = await setUp()
    const issue = (card_number: string, account_number: string) =>
      ask(issueCard, { card_number, pin: '5062', book: 'main', account_number })
    expect(answerOf(await issue('4000-0003', '1000-0001-0002'))).toMatchObject({
      account: 'customers:1000-0001-0002',
      account_number: '1000-0001-0002',
    })
    expect(codeOf(await issue('4000-0001', '1000-0002-0001'))).toBe('CARD_EXISTS')
    expect(codeOf(await issue('4000-0004', '1000-0009-0001'))).toBe('ACCOUNT_NOT_FOUND')
  })

  test('that is blocked ends its sessions, and no others', async () => {
    const { ports, ask, logIn, card, types } = await setUp()
    const sessions = [answerOf(await logIn()), answerOf(await logIn())]
    const bens = answerOf(await logIn({ card_number: '4000-0002', pin: '8024' }))
    answerOf(await ask(blockCard, { card, reason: 'stolen' }))
    const use = (token: string) =>
      ports.cardSessions.use(ports.secrets.digest(token), new Date(NOON))
    for (const { session, token } of sessions) {
      expect(await use(token)).toBeUndefined()
      expect(types(`card_session-${session}`)).toEqual(['CardSessionOpened', 'CardSessionEnded'])
    }
    expect(await use(bens.token)).toBeDefined()
  })

  test('that is unblocked is used as before, with its PIN, and forgets wrong ones', async () => {
    const { ask, logIn, card } = await setUp()
    const wrong = { ...ADAS_CARD, pin: '0000' }
    for (let tries = 0; tries < 3; tries += 1) await logIn(wrong)
    answerOf(await ask(blockCard, { card, reason: 'lost' }))
    answerOf(await ask(unblockCard, { card, reason: 'found' }))
    expect(codeOf(await logIn(wrong))).toBe('CARD_CREDENTIALS_INVALID')
    expect(codeOf(await logIn())).toBeUndefined()
  })

  test('has two log-outs of one session end it once', async () => {
    const { ports, ask, logIn, ada } = await setUp()
    const { session, token } = answerOf(await logIn())
    const both = [ask(logOutCard, { session }, ada), ask(logOutCard, { session }, ada)]
    const codes = (await Promise.all(both)).map(codeOf)
    expect(codes.sort()).toEqual(['CARD_SESSION_ENDED', undefined])
    const digest = ports.secrets.digest(token)
    expect(await ports.cardSessions.use(digest, new Date(NOON))).toBeUndefined()
  })

  test.each([
    ['cards:manage', blockCard],
    ['cards:use', changePin],
  ])('is for who has the permission %s', async (_permission, command) => {
    const { ask, card } = await setUp()
    const input = { card, reason: 'x', current_pin: '7391', new_pin: '8264' }
    const { shape } = command.input as { shape: object } & typeof command.input
    const fields = Object.fromEntries(Object.entries(input).filter(([name]) => name in shape))
    const auditor = { actor: { id: 'a', roles: ['auditor' as const] } }
    expect(codeOf(await ask(command as typeof blockCard, fields as never, auditor))).toBe(
      'NOT_PERMITTED',
    )
  })
})
