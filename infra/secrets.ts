/** Passwords, tokens and names that give nothing away. */
import { createHash, createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { Overloaded } from '../commands/engine.ts'
import type { AccessClaims, Secrets } from '../commands/ports.ts'
import { Role } from '../domain/permissions.ts'

/** Argon2id, 19 MiB, two passes, one lane: the OWASP Password Storage Cheat Sheet. */
const argon2id = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
/** About two seconds of work on one core; whoever comes after these is told to come back. */
const MAX_PASSWORDS = 64
const ISSUER = 'daybook'

const Payload = z.object({
  sub: z.string(),
  rev: z.int(),
  sid: z.string(),
  roles: z.array(Role),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
})

/** One key for each purpose, so that a value made for one says nothing about another. */
const deriveKey = (secret: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `daybook ${purpose}`, 32))

/** One way to write each password, whatever keyboard it was typed on (NIST SP 800-63B, 3.1.1.2). */
const normal = (password: string): string => password.normalize('NFKC')

/** Runs a few password checks at a time. Throws Overloaded beyond MAX_PASSWORDS. */
const createQueue = () => {
  let running = 0
  return async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (running >= MAX_PASSWORDS) throw new Overloaded('too many passwords are being checked')
    running += 1
    try {
      return await work()
    } finally {
      running -= 1
    }
  }
}

/**
 * All keys follow from `secret`, 32 random bytes that must stay the same: names are claimed and
 * idempotency keys remembered under what it makes of them. Access tokens are JWT signed by HS256.
 */
export const createSecrets = (options: {
  readonly secret: Buffer
  /** Mixed into every PIN: four digits are guessed in a second by who has only their hashes. */
  readonly pepper: Buffer
  readonly clock: () => Date
}): Secrets => {
  const { secret, pepper, clock } = options
  // Prepared once: from raw bytes, each use would cost six times as much.
  const claimKey = createSecretKey(deriveKey(secret, 'claim'))
  const accessKey = deriveKey(secret, 'access token')
  const queue = createQueue()
  // Of what nobody could ever type.
  const nobodys = hash(randomBytes(32), argon2id)
  // Whoever needs it meets the failure; nobody else shall die of it.
  nobodys.catch(() => undefined)
  const peppered = { ...argon2id, secret: pepper }
  const nobodysPin = hash(randomBytes(32), peppered)
  nobodysPin.catch(() => undefined)

  return {
    hashPassword: (password) => queue(() => hash(normal(password), argon2id)),
    verifyPassword: async (stored, password) => {
      const against = stored ?? (await nobodys)
      return queue(() => verify(against, normal(password)))
    },
    hashPin: (pin) => queue(() => hash(pin, peppered)),
    verifyPin: async (stored, pin) => {
      const against = stored ?? (await nobodysPin)
      return queue(() => verify(against, pin, peppered))
    },
    claim: (kind, value) =>
      createHmac('sha256', claimKey).update(`${kind}\n${value}`).digest('base64url'),
    signAccess: (claims) =>
      new SignJWT({ rev: claims.userRevision, sid: claims.session, roles: [...claims.roles] })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(ISSUER)
        .setSubject(claims.user)
        .setAudience(claims.audience)
        .setIssuedAt(claims.issuedAt)
        .setExpirationTime(claims.expiresAt)
        .sign(accessKey),
    verifyAccess: async (token) => {
      try {
        const { payload } = await jwtVerify(token, accessKey, {
          algorithms: ['HS256'],
          issuer: ISSUER,
          currentDate: clock(),
        })
        const parsed = Payload.safeParse(payload)
        return parsed.success ? claimsOf(parsed.data) : undefined
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
    randomToken: () => randomBytes(32).toString('base64url'),
    digest: (token) => createHash('sha256').update(token).digest('base64url'),
  }
}

const claimsOf = (payload: z.infer<typeof Payload>): AccessClaims => ({
  user: payload.sub,
  userRevision: payload.rev,
  session: payload.sid,
  roles: payload.roles,
  audience: payload.aud,
  issuedAt: new Date(payload.iat * 1000),
  expiresAt: new Date(payload.exp * 1000),
})
