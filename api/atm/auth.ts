import { z } from '@hono/zod-openapi'
import { logInWithCard, logOutCard } from '../../commands/card_sessions.ts'
import { changePin } from '../../commands/cards.ts'
import { GivenPin, NewPin } from '../../commands/pins.ts'
import { maskAccountNumber } from '../../domain/deposits.ts'
import { route, tell, tellPublic } from '../contract.ts'
import type { Route } from '../route.ts'
import { holderOf } from './dialect.ts'
import { Masked } from './views.ts'

const tag = 'Authentication'
const card = { card_number: '4000-0001-0001', pin: '1234' }
export const asHolder = { headers: { 'X-Session-ID': '{card_session}' } }

const Message = z.object({ message: z.string() })

const LogIn = z.object({
  card_number: z.string().min(1).max(20),
  pin: GivenPin,
})

const NewPins = z
  .object({ current_pin: GivenPin, new_pin: NewPin, confirm_pin: GivenPin })
  .refine(({ new_pin, confirm_pin }) => new_pin === confirm_pin, {
    path: ['confirm_pin'],
    message: 'is not the new PIN',
  })

export const authRoutes: readonly Route[] = [
  route('post', '/api/v1/auth/login', 'public', {
    tag,
    summary: 'Log in with a card and its PIN',
    description: 'Three wrong PINs in a row lock the card for 30 minutes.',
    input: LogIn,
    response: z.object({
      session_id: z.string(),
      account_number: Masked,
      customer_name: z.string(),
      message: z.string(),
    }),
    problems: ['CARD_CREDENTIALS_INVALID', 'CARD_LOCKED'],
    throttles: [
      {
        scope: 'login',
        requests: 5,
        seconds: 15 * 60,
        key: ({ card_number }: z.infer<typeof LogIn>) => card_number,
      },
    ],
    example: { body: card, capture: { card_session: 'session_id' } },
    furtherExamples: [{ body: card, capture: { other_card_session: 'session_id' } }],
    run: async (call) => {
      const { card_number, pin } = call.input
      const { answer } = await tellPublic(call, logInWithCard, { card_number, pin })
      return {
        body: {
          session_id: answer.token,
          account_number: maskAccountNumber(answer.account_number),
          customer_name: answer.customer_name ?? '',
          message: 'Authentication successful',
        },
      }
    },
  }),
  route('post', '/api/v1/auth/logout', 'cards:use', {
    tag,
    summary: 'End the session',
    input: z.object({}),
    response: Message,
    example: { headers: { 'X-Session-ID': '{other_card_session}' } },
    run: async (call) => {
      await tell(call, logOutCard, { session: holderOf(call).session })
      return { body: { message: 'Logged out successfully' } }
    },
  }),
  route('post', '/api/v1/auth/pin/change', 'cards:use', {
    tag,
    summary: 'Change the PIN',
    description: 'Not one digit repeated, no run of digits up or down.',
    input: NewPins,
    response: Message,
    problems: ['CARD_CREDENTIALS_INVALID', 'CARD_LOCKED', 'PIN_UNCHANGED', 'PIN_TOO_COMMON'],
    example: {
      ...asHolder,
      body: { current_pin: '1234', new_pin: '7856', confirm_pin: '7856' },
    },
    run: async (call) => {
      const { current_pin, new_pin } = call.input
      await tell(call, changePin, { card: holderOf(call).card, current_pin, new_pin })
      return { body: { message: 'PIN changed successfully' } }
    },
  }),
]
