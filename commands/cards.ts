import { z } from 'zod'
import { CardSession, type CardSessionState } from '../domain/card_sessions.ts'
import { Card, type CardState, cardLockOf, isUsable } from '../domain/cards.ts'
import { AccountNumber, accountCodeOf, accountNumberOf } from '../domain/deposits.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { lookAtCustomer } from './customers.ts'
import { lookAtAccount } from './deposits.ts'
import { newUlid } from './ids.ts'
import {
  type Command,
  type Context,
  command,
  type Ports,
  publicCommand,
  submitStep,
} from './kernel.ts'
import { GivenPin, NewPin, tooCommon } from './pins.ts'

const CardNumber = z.string().min(1).max(20)
const Reason = z.string().trim().min(1).max(256)

const cardOf = ({ secrets }: Pick<Ports, 'secrets'>, number: string): string =>
  secrets.claim('card', number)

const lookAtCard = async ({ engine }: Pick<Ports, 'engine'>, card: string): Promise<CardState> =>
  (await engine.look(Card, `${Card.category}-${card}`)).state as CardState

/** A card for an account, with a PIN that its holder was told in another way. */
export const issueCard = command({
  name: 'cards.issue',
  permission: 'cards:manage',
  input: z.strictObject({
    card_number: CardNumber,
    pin: GivenPin,
    book: BookId,
    account_number: AccountNumber,
  }),
  decider: Card,
  stream: ({ card_number }, { ports }) => cardOf(ports, card_number),
  on: 'any',
  otherwise: 'CARD_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ card_number, pin, book, account_number }, { ports, context, at }) => {
    const account = accountCodeOf(account_number)
    const customer = (await lookAtAccount(ports, book, account))?.owner
    if (!customer || !(await lookAtCustomer(ports, customer))) {
      return refuse('ACCOUNT_NOT_FOUND', `No customer has an account ${account}.`, { account })
    }
    return {
      card: cardOf(ports, card_number),
      customer,
      book,
      account,
      number: context.dryRun ? '' : await ports.vault.seal(customer, { card_number }),
      pin_hash: await ports.secrets.hashPin(pin),
      issued_at: at,
    }
  },
  decide: Card.decide.issue,
  answer: (_events, _input, { card, customer, book, account }) => ({
    card,
    customer,
    book,
    account,
    account_number: accountNumberOf(account),
  }),
})

type OfCard<Input extends z.ZodType, Values, Answer> = Omit<
  Command<Input, Values, Answer>,
  'decider' | 'stream' | 'on' | 'otherwise' | 'ifMatch'
>

/** A command to a card that exists, whom the input names. */
const cardCommand = <Input extends z.ZodType<{ card: string }>, Values, Answer>(
  declaration: OfCard<Input, Values, Answer>,
): Command<Input, Values, Answer> =>
  command({
    ...declaration,
    decider: Card,
    stream: ({ card }) => card,
    on: 'existing',
    otherwise: 'CARD_NOT_FOUND',
    ifMatch: 'stream',
  })

const endSession = (
  ports: Ports,
  session: string,
  reason: 'logout' | 'expired' | 'blocked',
  context: Context,
) =>
  submitStep(
    ports,
    {
      name: `card_sessions.${reason}`,
      decider: CardSession,
      stream: session,
      on: 'any',
      otherwise: 'CARD_NOT_FOUND',
      decide: (now: CardSessionState) =>
        CardSession.decide.end(now, { session, reason, ended_at: context.at.toISOString() }),
    },
    context,
  )

/** Nobody can log in with it any more, and its sessions end. */
export const blockCard = cardCommand({
  name: 'cards.block',
  permission: 'cards:manage',
  input: z.strictObject({ card: Identifier, reason: Reason }),
  enrich: ({ card, reason }, { at }) => ({ card, reason, blocked_at: at }),
  decide: Card.decide.block,
  after: async ({ card }, { ports, context }) => {
    for (const session of await ports.cardSessions.ofCard(card)) {
      await ports.cardSessions.end(session)
      await endSession(ports, session, 'blocked', context)
    }
  },
  answer: (_events, { card }) => ({ card, status: 'blocked' as const }),
})

/** Also forgets the wrong PINs. */
export const unblockCard = cardCommand({
  name: 'cards.unblock',
  permission: 'cards:manage',
  input: z.strictObject({ card: Identifier, reason: Reason }),
  enrich: ({ card, reason }, { at }) => ({ card, reason, unblocked_at: at }),
  decide: Card.decide.unblock,
  answer: (_events, { card }) => ({ card, status: 'active' as const }),
})

const credentialsInvalid = (): Refusal =>
  refuse('CARD_CREDENTIALS_INVALID', 'Card number or PIN is wrong.')

/**
 * Compares a PIN and counts the wrong ones. A number that no card has, and a card that is blocked,
 * take as long, write as much and are locked alike.
 */
const provePin = async (
  ports: Ports,
  card: string,
  pin: string,
  context: Context,
): Promise<CardState | Refusal> => {
  const at = context.at.toISOString()
  const state = await lookAtCard(ports, card)
  const locked = cardLockOf(state, at)
  if (locked) return locked
  const usable = isUsable(state)
  const correct = (await ports.secrets.verifyPin(usable ? state.pinHash : undefined, pin)) && usable
  const judged = await submitStep(
    ports,
    {
      name: 'cards.prove_pin',
      decider: Card,
      stream: card,
      on: 'any',
      otherwise: 'CARD_CREDENTIALS_INVALID',
      decide: (now: CardState) =>
        // Blocked, or given another PIN, while it was compared.
        Card.decide.judgePin(now, {
          card,
          correct: correct && isUsable(now) && now.pinHash === state.pinHash,
          at,
        }),
    },
    context,
  )
  if (isRefusal(judged)) return judged
  const failed = judged.events.find(({ type }) => type === 'CardPinFailed')
  if (correct && !failed) return state
  const { locked_until } = (failed?.data ?? {}) as { locked_until?: string | null }
  if (typeof locked_until === 'string') {
    return refuse('CARD_LOCKED', `Too many wrong PINs: the card is locked until ${locked_until}.`, {
      locked_until,
    })
  }
  return credentialsInvalid()
}

/**
 * Opens a session for who knows the PIN. The card is looked at once more behind the live session:
 * one that is blocked meanwhile is either seen here, or its blocking finds the session to end.
 */
export const logInWithCard = publicCommand({
  name: 'cards.log_in',
  permission: 'public',
  input: z.strictObject({ card_number: CardNumber, pin: GivenPin }),
  run: async (ports, { card_number, pin }, context) => {
    const card = cardOf(ports, card_number)
    const proven = await provePin(ports, card, pin, context)
    if (isRefusal(proven)) return proven
    const { issued } = proven
    if (!issued) return credentialsInvalid()
    const { customer, book, account } = issued
    const session = newUlid(context.at.getTime())
    const holder = { session, card, customer, book, account }
    const token = ports.secrets.randomToken()
    const opened = await submitStep(
      ports,
      {
        name: 'cards.log_in',
        decider: CardSession,
        stream: session,
        on: 'new',
        otherwise: 'CARD_EXISTS',
        decide: (now: CardSessionState) =>
          CardSession.decide.open(now, { ...holder, opened_at: context.at.toISOString() }),
      },
      { ...context, actor: { id: customer, roles: ['customer'] } },
    )
    if (isRefusal(opened)) return opened
    await ports.cardSessions.open(ports.secrets.digest(token), holder, context.at)
    if (!isUsable(await lookAtCard(ports, card))) {
      await ports.cardSessions.end(session)
      return credentialsInvalid()
    }
    const known = await lookAtCustomer(ports, customer)
    const account_number = accountNumberOf(account)
    const answer = { token, session, account_number, customer_name: known?.name ?? null }
    const { revision, position } = opened
    return { answer, revision, position, replayed: false, dryRun: false }
  },
})

/** What a session of a card comes to its end by. */
const endingBy = (
  name: string,
  reason: 'logout' | 'expired',
  decide: typeof CardSession.decide.end,
) =>
  command({
    name,
    permission: 'cards:use',
    input: z.strictObject({ session: Identifier }),
    decider: CardSession,
    stream: ({ session }) => session,
    on: 'any',
    otherwise: 'CARD_NOT_FOUND',
    ifMatch: 'stream',
    enrich: ({ session }, { at }) => ({ session, reason, ended_at: at }),
    decide,
    after: ({ session }, { ports }) => ports.cardSessions.end(session),
    answer: (_events, { session }) => ({ session, status: 'ended' as const }),
  })

export const logOutCard = endingBy('cards.log_out', 'logout', CardSession.decide.logOut)
/** What the clock asks for. */
export const expireCardSession = endingBy('cards.expire_session', 'expired', CardSession.decide.end)

/** Keeps what was asked for at a machine and refused. */
export const declineTransaction = command({
  name: 'cards.decline',
  permission: 'cards:use',
  input: z.strictObject({
    session: Identifier,
    kind: z.string().max(32),
    amount: z.string().regex(/^[1-9]\d{0,23}$/),
    code: z.string().max(64),
  }),
  decider: CardSession,
  stream: ({ session }) => session,
  on: 'any',
  otherwise: 'CARD_NOT_FOUND',
  ifMatch: 'stream',
  enrich: (input, { at }) => ({ ...input, declined_at: at }),
  decide: CardSession.decide.decline,
  answer: (_events, { session }) => ({ session }),
})

/** By its holder, who shows that he knows the present one. Sessions live on. */
export const changePin = cardCommand({
  name: 'cards.change_pin',
  permission: 'cards:use',
  input: z.strictObject({ card: Identifier, current_pin: GivenPin, new_pin: NewPin }),
  enrich: async ({ card, current_pin, new_pin }, { ports, context, reach, at }) => {
    const { issued } = await lookAtCard(ports, card)
    if (reach === 'own' && issued?.customer !== context.actor.id) {
      return refuse('CARD_NOT_FOUND', `There is no card ${card}.`)
    }
    const proven = await provePin(ports, card, current_pin, context)
    if (isRefusal(proven)) return proven
    if (new_pin === current_pin) {
      return refuse('PIN_UNCHANGED', 'The new PIN is the present one.', { field: 'new_pin' })
    }
    if (tooCommon(new_pin)) {
      return refuse('PIN_TOO_COMMON', 'The new PIN is one that many choose.', { field: 'new_pin' })
    }
    const pin_hash = await ports.secrets.hashPin(new_pin)
    return { card, pin_hash, changed_at: at, replaces: proven.pinHash }
  },
  decide: Card.decide.changePin,
  answer: (_events, { card }) => ({ card }),
})
