import { describe, expect, test } from 'vitest'
import { issueApiKey, lookAtApiKey, parseApiKey, revokeApiKey } from '../commands/api_keys.ts'
import { execute } from '../commands/kernel.ts'
import { ApiKey, exceeds } from '../domain/api_keys.ts'
import type { Role } from '../domain/permissions.ts'
import { apiKeyBook, getApiKey, listApiKeys } from '../projections/api_keys.ts'
import { accepted, administrator, codeOf, given, useWorld } from './people-support.ts'

describe('an API key', () => {
  const issued = {
    type: 'ApiKeyIssued',
    data: {
      key: 'k1',
      name: 'importer',
      roles: ['staff' as Role],
      secret_digest: 'digest',
      issued_by: 'root',
      issued_at: '2026-01-01T09:00:00.000Z',
      expires_at: null,
    },
  }
  const revoked = {
    type: 'ApiKeyRevoked',
    data: { key: 'k1', reason: 'leaked', revoked_at: '2026-01-02T09:00:00.000Z' },
  }

  test('is revoked once', () => {
    expect(ApiKey.decide.revoke(given(ApiKey, [issued]), revoked.data)).toEqual([revoked])
    expect(ApiKey.decide.revoke(given(ApiKey, [issued, revoked]), revoked.data)).toEqual([])
  })

  test.each<[Role[], Role[], boolean]>([
    [['staff'], ['admin'], false],
    [['system'], ['admin'], false],
    [['admin'], ['manager'], true],
    [['staff'], ['manager'], false],
    [['regulator'], ['manager'], true],
    [['regulator', 'manager'], ['manager', 'regulator'], false],
    // A customer reaches his own accounts only; staff reach all of them, but use nobody's card.
    [['staff'], ['customer'], true],
    [['customer'], ['staff'], true],
    [['customer'], ['admin'], false],
  ])('for %j from an issuer who is %j goes too far: %j', (roles, issuer, tooFar) => {
    expect(exceeds(roles, issuer)).toBe(tooFar)
  })
})

describe('keys for services', () => {
  const world = useWorld()
  const issue = (input: object = {}, key?: string) =>
    execute(
      world.ports,
      issueApiKey,
      issueApiKey.input.parse({ name: 'importer', roles: ['staff'], ...input }),
      world.context(administrator, { key }),
    )

  test('the token is shown once and kept as a digest', async () => {
    const { answer } = accepted(await issue({}, 'first'))
    const token = answer.token ?? ''
    const { key, secret } = parseApiKey(token) ?? { key: '', secret: '' }
    expect(key).toBe(answer.key)
    const state = await lookAtApiKey(world.anotherProcess(), key)
    expect(state).toMatchObject({ roles: ['staff'], revoked: false })
    expect(state?.secretDigest).toBe(world.ports.secrets.digest(secret))
    const again = accepted(await issue({}, 'first'))
    expect(again).toMatchObject({ replayed: true, answer: { key, token: null } })
    let text = ''
    for await (const event of world.ports.store.readStream(`api_key-${key}`)) {
      text += JSON.stringify([event.data, event.metadata])
    }
    expect(text).toContain(key)
    expect(text).not.toContain(secret)
  })

  test('is refused when it has expired already or goes beyond its issuer', async () => {
    const past = world.context(administrator).at.toISOString()
    expect(codeOf(await issue({ expires_at: past }))).toBe('API_KEY_EXPIRY_PAST')
    const manager = world.context({ id: 'm', roles: ['manager'] })
    const input = issueApiKey.input.parse({ name: 'importer', roles: ['staff'] })
    expect(codeOf(await execute(world.ports, issueApiKey, input, manager))).toBe('NOT_PERMITTED')
  })

  test('a key that is not there cannot be revoked', async () => {
    const input = { key: 'nosuchkey', reason: 'lost' }
    expect(
      codeOf(await execute(world.ports, revokeApiKey, input, world.context(administrator))),
    ).toBe('API_KEY_NOT_FOUND')
  })

  test.each([
    '',
    'daybook_',
    'daybook_x_y',
    `daybook_${'0'.repeat(26)}_short`,
    `x${'0'.repeat(60)}`,
  ])('%j is no token of a key', (token) => {
    expect(parseApiKey(token)).toBeUndefined()
  })

  test('the read model lists keys by how they stand, without anything that opens', async () => {
    const fresh = await world.project([apiKeyBook])
    const { database, ports } = world
    const asker = { id: 'root', reach: 'all' as const, at: new Date() }
    const kept = accepted(await issue({ name: 'kept' })).answer
    const lost = accepted(await issue({ name: 'lost' })).answer
    const { at } = world.context(administrator)
    const soon = new Date(at.getTime() + 1).toISOString()
    const short = accepted(await issue({ name: 'short', expires_at: soon })).answer
    const revoke = { key: lost.key, reason: 'lost' }
    const { position } = accepted(
      await execute(ports, revokeApiKey, revoke, world.context(administrator)),
    )
    await fresh(position)
    const keysWith = async (status: string) => {
      const input = listApiKeys.input.parse({ status })
      const { items } = await listApiKeys.run(database, input, asker, ports.vault)
      return items.map(({ key }) => key)
    }
    expect(await keysWith('active')).toContain(kept.key)
    expect(await keysWith('revoked')).toEqual([lost.key])
    expect(await keysWith('expired')).toEqual([short.key])
    const one = await getApiKey.run(database, { key: lost.key }, asker, ports.vault)
    expect(one).toMatchObject({ name: 'lost', status: 'revoked', revoked_reason: 'lost' })
    expect(Object.keys(one ?? {}).filter((name) => /secret|digest|token/.test(name))).toEqual([])
    const page = listApiKeys.input.parse({ limit: 2 })
    const first = await listApiKeys.run(database, page, asker, ports.vault)
    const cursor = first.next_cursor ?? ''
    const rest = await listApiKeys.run(database, { ...page, cursor }, asker, ports.vault)
    const seen = [...first.items, ...rest.items].map(({ key }) => key)
    expect(seen).toEqual([...new Set(seen)].sort().reverse())
    expect(seen).toEqual(expect.arrayContaining([kept.key, lost.key, short.key]))
  })
})
