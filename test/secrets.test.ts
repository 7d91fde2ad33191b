import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { expect, test, vi } from 'vitest'
import { Overloaded } from '../commands/engine.ts'
import { createSecrets } from '../infra/secrets.ts'

// Seventy password hashes take their time when other suites share the machine.
vi.setConfig({ testTimeout: 60_000 })

const secret = randomBytes(32)
const now = new Date('2026-01-01T09:00:00Z')
const secretsAt = (time: Date) => createSecrets({ secret, pepper: secret, clock: () => time })
const secrets = secretsAt(now)

const claims = {
  user: 'u1',
  userRevision: 7,
  session: 's1',
  roles: ['staff' as const],
  audience: 'daybook',
  issuedAt: now,
  expiresAt: new Date(now.getTime() + 900_000),
}

test('passwords are hashed by argon2id with the parameters of OWASP', async () => {
  const hash = await secrets.hashPassword('correct horse battery')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await secrets.verifyPassword(hash, 'correct horse battery')).toBe(true)
  expect(await secrets.verifyPassword(hash, 'correct horse batterz')).toBe(false)
  expect(await secrets.verifyPassword(undefined, 'correct horse battery')).toBe(false)
})

test('a password may be typed on any keyboard', async () => {
  const hash = await secrets.hashPassword('caf\u00e9 au lait bitte')
  expect(await secrets.verifyPassword(hash, 'cafe\u0301 au lait bitte')).toBe(true)
})

test('more passwords at once than can be checked soon are turned away', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 70 }, () => secrets.verifyPassword(undefined, 'x')),
  )
  const rejected = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(rejected).toHaveLength(6)
  expect(rejected[0]?.reason).toBeInstanceOf(Overloaded)
  expect(await secrets.verifyPassword(undefined, 'x')).toBe(false)
})

test('an access token says what was signed, until it expires', async () => {
  const token = await secrets.signAccess(claims)
  expect(await secrets.verifyAccess(token)).toEqual(claims)
  expect(await secretsAt(claims.expiresAt).verifyAccess(token)).toBeUndefined()
})

test('a token that was not signed here, or says less, is none', async () => {
  const token = await secrets.signAccess(claims)
  const [header, , signature] = token.split('.')
  const forged = Buffer.from(JSON.stringify({ sub: 'root', roles: ['admin'] })).toString(
    'base64url',
  )
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  const other = createSecrets({ secret: randomBytes(32), pepper: secret, clock: () => now })
  for (const bad of [
    'x',
    '',
    'a.b.c',
    `${header}.${forged}.${signature}`,
    `${unsigned}.${token.split('.')[1]}.`,
    await other.signAccess(claims),
  ]) {
    expect(await secrets.verifyAccess(bad), bad).toBeUndefined()
  }
})

test('a key made for one purpose signs nothing of another', async () => {
  const payload = { sub: 'u1', sid: 's1', rev: 7, roles: ['admin'], aud: 'daybook' }
  const token = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('daybook')
    .setIssuedAt(now)
    .setExpirationTime(claims.expiresAt)
    .sign(secret)
  expect(await secrets.verifyAccess(token)).toBeUndefined()
})

test('claims are the same for the same value and kind, and hang on the secret', () => {
  expect(secrets.claim('username', 'ada')).toBe(
    secretsAt(claims.expiresAt).claim('username', 'ada'),
  )
  const others = [
    secrets.claim('username', 'bob'),
    secrets.claim('email', 'ada'),
    createSecrets({ secret: randomBytes(32), pepper: secret, clock: () => now }).claim(
      'username',
      'ada',
    ),
  ]
  expect(others).not.toContain(secrets.claim('username', 'ada'))
})

test('tokens are never the same twice', () => {
  const tokens = Array.from({ length: 100 }, () => secrets.randomToken())
  expect(new Set(tokens).size).toBe(100)
  expect(secrets.digest('token')).toBe(secrets.digest('token'))
})
