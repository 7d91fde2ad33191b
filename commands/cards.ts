import { z } from 'zod'
import { Card } from '../domain/cards.ts'
import { AccountNumber, accountCodeOf, accountNumberOf } from '../domain/deposits.ts'
import { isRefusal, refuse } from '../domain/kernel.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { endCardSession } from './card_sessions.ts'
import { lookAtCustomer } from './customers.ts'
import { lookAtAccount } from './deposits.ts'
import { command, onExisting } from './kernel.ts'
import { CardNumber, cardOf, GivenPin, lookAtCard, NewPin, provePin, tooCommon } from './pins.ts'

const Reason = z.string().trim().min(1).max(256)

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

const cardCommand = onExisting({ decider: Card, field: 'card', otherwise: 'CARD_NOT_FOUND' })

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
      await endCardSession(ports, session, 'blocked', context)
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

/** By its holder, who shows that he knows the present one. Sessions live on. */
export const changePin = cardCommand({
  name: 'cards.change_pin',
  permission: 'cards:use',
  input: z.strictObject({ card: Identifier, current_pin: GivenPin, new_pin: NewPin }),
  enrich: async ({ card, current_pin, new_pin }, { ports, context, reach, at, isRepeated }) => {
    const known = await lookAtCard(ports, card)
    if (reach !== 'all' && known.issued?.customer !== context.actor.id) {
      return refuse('CARD_NOT_FOUND', `There is no card ${card}.`)
    }
    const proven = (await isRepeated()) ? known : await provePin(ports, card, current_pin, context)
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
