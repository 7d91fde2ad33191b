import { z } from 'zod'
import { refuse } from '../domain/kernel.ts'
import { CODE_SECONDS, OneTimeCode } from '../domain/one_time_codes.ts'
import { command, type Enrichment } from './kernel.ts'
import { queueMessage } from './outbox.ts'
import type { Ports } from './ports.ts'

const DIGITS = 6

/** As people write it, without what only pleases the eye. */
const Phone = z
  .string()
  .transform((text) => text.replace(/[\s()-]/g, ''))
  .pipe(z.string().regex(/^\+?\d{9,15}$/, 'a phone number is 9 to 15 digits'))

export const claimsOf = ({ secrets }: Ports, user: string, phone: string, code: string) => ({
  phone_claim: secrets.claim('phone', phone),
  code_claim: secrets.claim('one-time code', `${user} ${phone} ${code}`),
})

/**
 * Made of the request's random id under a key that only the server has: nobody can guess it, and
 * the same request made again sends the same code.
 */
export const codeOf = ({ ports, newId }: Enrichment): string => {
  const random = Buffer.from(ports.secrets.claim('code', newId('code')), 'base64url')
  const number = BigInt(`0x${random.toString('hex')}`) % 10n ** BigInt(DIGITS)
  return number.toString().padStart(DIGITS, '0')
}

export const expiryOf = ({ context }: Enrichment): string =>
  new Date(context.at.getTime() + CODE_SECONDS * 1000).toISOString()

/** Sends a code to a phone, good for five minutes; the one before is worth nothing from now on. */
export const sendCode = command({
  name: 'one_time_codes.send',
  permission: 'self:read',
  input: z.strictObject({ phone: Phone }),
  decider: OneTimeCode,
  stream: (_input, { context }) => context.actor.id,
  on: 'any',
  otherwise: 'CODE_NOT_SENT',
  ifMatch: 'stream',
  enrich: ({ phone }, enrichment) => {
    const user = enrichment.context.actor.id
    return {
      user,
      ...claimsOf(enrichment.ports, user, phone, codeOf(enrichment)),
      sent_at: enrichment.at,
      expires_at: expiryOf(enrichment),
    }
  },
  decide: OneTimeCode.decide.send,
  answer: () => ({ expires_in_s: CODE_SECONDS }),
  after: ({ phone }, enrichment) => {
    const { ports, context, newId } = enrichment
    const code = codeOf(enrichment)
    const message = {
      message: newId('message'),
      subject: context.actor.id,
      channel: 'sms',
      purpose: 'one_time_code',
      recipient: phone,
      title: 'Your code',
      body: `Your code is ${code}. Tell it to nobody.`,
      secret: code,
      expires_at: expiryOf(enrichment),
    } as const
    return queueMessage(ports, message, context)
  },
})

/** Proves that the user holds the phone, once for each code; five wrong ones end it. */
export const useCode = command({
  name: 'one_time_codes.use',
  permission: 'self:read',
  // Whatever it is, it may be wrong.
  input: z.strictObject({ phone: Phone, code: z.string().max(64) }),
  decider: OneTimeCode,
  stream: (_input, { context }) => context.actor.id,
  on: 'any',
  otherwise: 'CODE_NOT_SENT',
  ifMatch: 'stream',
  enrich: ({ phone, code }, { ports, context, at }) => {
    const user = context.actor.id
    return { user, ...claimsOf(ports, user, phone, code.trim()), at }
  },
  decide: OneTimeCode.decide.use,
  answer: (events) =>
    events.some(({ type }) => type === 'OneTimeCodeUsed')
      ? { verified: true }
      : refuse('CODE_WRONG', 'The code is wrong.'),
})
