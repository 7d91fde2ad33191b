import { z } from 'zod'
import { Card, type CardState, cardLockOf, isUsable } from '../domain/cards.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { type Context, submitStep } from './kernel.ts'
import { type Looking, lookAt } from './look.ts'
import type { Ports } from './ports.ts'

export const CardNumber = z.string().min(1).max(20)

/** As somebody types it. */
export const GivenPin = z.string().regex(/^\d{4,6}$/, 'a PIN is 4 to 6 digits')

const isRun = (pin: string, step: 1 | -1): boolean =>
  [...pin].every((digit, index) => index === 0 || Number(digit) === Number(pin[index - 1]) + step)

/** Not one digit repeated, and no run up or down (PIN rules of the cash machine's document). */
export const NewPin = GivenPin.refine(
  (pin) => new Set(pin).size > 1,
  'a PIN is not one digit repeated',
).refine((pin) => !isRun(pin, 1) && !isRun(pin, -1), 'a PIN is no run of digits, up or down')

/** Those that a thief tries first and the rules above let through. */
const common = new Set(['1357', '2468', '1212', '1313', '1122', '2580', '6969', '1010'])

export const tooCommon = (pin: string): boolean => common.has(pin)

export const cardOf = ({ secrets }: Pick<Ports, 'secrets'>, number: string): string =>
  secrets.claim('card', number)

export const lookAtCard = (ports: Looking, card: string): Promise<CardState> =>
  lookAt(ports, Card, card)

export const credentialsInvalid = (): Refusal =>
  refuse('CARD_CREDENTIALS_INVALID', 'Card number or PIN is wrong.')

/**
 * Compares a PIN and counts the wrong ones. A number that no card has, and a card that is blocked,
 * take as long, write as much and are locked alike.
 */
export const provePin = async (
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
