/** Codes to the phones of people who are to become customers, and are nobody's users yet. */
import { z } from 'zod'
import { refuse } from '../domain/kernel.ts'
import { CODE_SECONDS, OneTimeCode, type OneTimeCodeState } from '../domain/one_time_codes.ts'
import { command, type Enrichment } from './kernel.ts'
import { lookAt } from './look.ts'
import { claimsOf, codeOf, expiryOf } from './one_time_codes.ts'
import { queueMessage } from './outbox.ts'
import type { Ports } from './ports.ts'

const NATIONAL_DIGITS = 9

/** A number in Ghana, as people write it, without what only pleases the eye. */
export const GhanaPhone = z
  .string()
  .transform((text) => text.replace(/[\s()-]/g, ''))
  .pipe(z.string().regex(/^(?:\+?233|0)\d{9}$/, 'a phone number of Ghana is 0 or +233, 9 digits'))

/** The stream of a phone's codes: the same however its number is written. */
const phoneOf = ({ secrets }: Pick<Ports, 'secrets'>, phone: string): string =>
  secrets.claim('applicant', `+233${phone.slice(-NATIONAL_DIGITS)}`)

const lookAtCode = (ports: Ports, phone: string): Promise<OneTimeCodeState> =>
  lookAt(ports, OneTimeCode, phoneOf(ports, phone))

const phoneCommand = {
  permission: 'openings:work',
  decider: OneTimeCode,
  on: 'any',
  otherwise: 'CODE_NOT_SENT',
  ifMatch: 'stream',
} as const

/** As that of a user's code, with the phone in place of the user. */
const claimed = (ports: Ports, phone: string, code: string) =>
  claimsOf(ports, phoneOf(ports, phone), phoneOf(ports, phone), code)

/**
 * Sends a code to an applicant's phone, as to a user's. It is sealed under the id that his opening
 * will have, so that it is forgotten with him; until there is one, further codes keep that id.
 */
export const sendApplicantCode = command({
  name: 'openings.send_code',
  ...phoneCommand,
  input: z.strictObject({ phone: GhanaPhone }),
  stream: ({ phone }, { ports }) => phoneOf(ports, phone),
  enrich: async ({ phone }, enrichment) => {
    const { ports, newId, at } = enrichment
    const { sent, used } = await lookAtCode(ports, phone)
    return {
      user: sent && !used ? sent.user : newId(),
      ...claimed(ports, phone, codeOf(enrichment)),
      ...{ sent_at: at, expires_at: expiryOf(enrichment) },
    }
  },
  decide: OneTimeCode.decide.send,
  answer: () => ({ expires_in_s: CODE_SECONDS }),
  after: async ({ phone }, enrichment: Enrichment) => {
    const { ports, context, newId } = enrichment
    const { sent } = await lookAtCode(ports, phone)
    const code = codeOf(enrichment)
    await queueMessage(
      ports,
      {
        message: newId('message'),
        subject: sent?.user ?? newId(),
        channel: 'sms',
        purpose: 'one_time_code',
        recipient: phone,
        title: 'Your code',
        body: `Your code is ${code}. Tell it to whoever opens your account, and to nobody else.`,
        secret: code,
        expires_at: expiryOf(enrichment),
      },
      context,
    )
  },
})

/**
 * Proves that the applicant holds the phone, and answers the id of his opening. The right code may
 * be told again, for as long as there is no opening: one that was used up by a request which ended
 * half-way would be lost.
 */
export const proveApplicant = command({
  name: 'openings.prove_phone',
  ...phoneCommand,
  // Whatever it is, it may be wrong.
  input: z.strictObject({ phone: GhanaPhone, code: z.string().max(64) }),
  stream: ({ phone }, { ports }) => phoneOf(ports, phone),
  enrich: async ({ phone, code }, { ports, at }) => {
    const { sent } = await lookAtCode(ports, phone)
    return { user: sent?.user ?? '', ...claimed(ports, phone, code.trim()), at }
  },
  decide: (state: OneTimeCodeState, told: Parameters<typeof OneTimeCode.decide.use>[1]) => {
    const { sent, used } = state
    const isToldAgain = used && sent?.code_claim === told.code_claim && sent.expires_at > told.at
    return isToldAgain ? [] : OneTimeCode.decide.use(state, told)
  },
  answer: (events, _input, { user }) =>
    events.some(({ type }) => type === 'OneTimeCodeFailed')
      ? refuse('CODE_WRONG', 'The code is wrong.')
      : { opening: user },
})

/** Whether the code that was sent to the phone last has been told, for this opening. */
export const hasProven = async (ports: Ports, phone: string, opening: string): Promise<boolean> => {
  const { sent, used } = await lookAtCode(ports, phone)
  return used && sent?.user === opening
}
