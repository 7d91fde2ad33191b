import { z } from 'zod'
import { CardSession, type CardSessionState } from '../domain/card_sessions.ts'
import { isUsable } from '../domain/cards.ts'
import { accountNumberOf } from '../domain/deposits.ts'
import { isRefusal } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { lookAtCustomer } from './customers.ts'
import { newUlid } from './ids.ts'
import { type Context, command, publicCommand, receiptOf, submitStep } from './kernel.ts'
import { CardNumber, cardOf, credentialsInvalid, GivenPin, lookAtCard, provePin } from './pins.ts'
import type { Ports } from './ports.ts'

/** Notes that a session has ended, if it was open. */
export const endCardSession = (
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

/**
 * Opens a session for who knows the PIN. The card is looked at once more behind the live session:
 * one that is blocked meanwhile is either seen here, or its blocking finds the session to end.
 */
export const logInWithCard = publicCommand({
  name: 'card_sessions.open',
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
        name: 'card_sessions.open',
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
      await endCardSession(ports, session, 'blocked', context)
      return credentialsInvalid()
    }
    const known = await lookAtCustomer(ports, customer)
    const account_number = accountNumberOf(account)
    const answer = { token, session, account_number, customer_name: known?.name ?? null }
    return receiptOf(opened, answer)
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

export const logOutCard = endingBy('card_sessions.log_out', 'logout', CardSession.decide.logOut)
/** What the clock asks for. */
export const expireCardSession = endingBy('card_sessions.expire', 'expired', CardSession.decide.end)

/** Keeps what was asked for at a machine and refused. */
export const declineTransaction = command({
  name: 'card_sessions.decline',
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
