import { describe, expect, test } from 'vitest'
import { createAuthenticator, isUnauthenticated } from '../api/authenticate.ts'
import { createMarks, createRevocations, subjectOf } from '../api/revocations.ts'
import { issueApiKey, lookAtApiKey, revokeApiKey } from '../commands/api_keys.ts'
import { execute } from '../commands/kernel.ts'
import type { Actor, Ports } from '../commands/ports.ts'
import { logIn, logOut, refreshSession } from '../commands/sessions.ts'
import { changeRoles, disableUser, registerUser, resetPassword } from '../commands/users.ts'
import type { AudienceName } from '../domain/sessions.ts'
import { sessionBook } from '../projections/sessions.ts'
import { userBook } from '../projections/users.ts'
import { until } from './infra-support.ts'
import { accepted, administrator, anonymous, useWorld } from './people-support.ts'

const MINUTE = 60_000

describe('marks', () => {
  const start = Date.UTC(2026, 0, 1)
  const marksAt = (limit: number) => {
    const time = { now: start }
    return { time, marks: createMarks(() => new Date(time.now), limit) }
  }
  const credential = (subject: string, revision: number, since = start) => ({
    subjects: [[subject, revision] as const],
    believedSince: new Date(since),
  })

  test('void what speaks of an earlier revision and nothing else', () => {
    const { marks } = marksAt(10)
    marks.note('user a', 3)
    marks.note('user a', 2)
    expect(marks.voids(credential('user a', 2))).toBe(true)
    expect(marks.voids(credential('user a', 3))).toBe(false)
    expect(marks.voids(credential('user b', 0))).toBe(false)
  })

  test('stay for twenty minutes', () => {
    const { marks, time } = marksAt(10)
    marks.note('user a', 3)
    time.now += 20 * MINUTE
    marks.note('user b', 3)
    expect(marks.voids(credential('user a', 2))).toBe(true)
    time.now += 1
    marks.note('user c', 3)
    expect(marks.voids(credential('user a', 2, time.now))).toBe(false)
  })

  test('when there are too many, whatever is as old as the one that went is void', () => {
    const { marks, time } = marksAt(2)
    for (const subject of ['user a', 'user b', 'user c']) {
      time.now += 1000
      marks.note(subject, 3)
    }
    expect(marks.voids(credential('user a', 2, start + 1000))).toBe(true)
    expect(marks.voids(credential('user x', 2, start + 1000))).toBe(true)
    expect(marks.voids(credential('user x', 2, start + 1001))).toBe(false)
    expect(marks.voids(credential('user b', 2, start + 5000))).toBe(true)
  })
})

describe('authentication', () => {
  const world = useWorld()
  const password = 'correct horse battery'
  const log = { error: () => undefined }

  /** A server process: its commands, its authenticator, and how often it verified a signature. */
  const startProcess = () => {
    const revocations = createRevocations(() => world.context(anonymous).at)
    const ports = world.anotherProcess(revocations.watch)
    const counts = { verified: 0, looked: 0 }
    const authenticate = createAuthenticator({
      verify: (token) => {
        counts.verified += 1
        return ports.secrets.verifyAccess(token)
      },
      apiKeys: (key) => {
        counts.looked += 1
        return lookAtApiKey(ports, key)
      },
      digest: ports.secrets.digest,
      revoked: revocations,
      clock: ports.clock,
    })
    const passes = async (token: string, audience = 'daybook') =>
      !isUnauthenticated(await authenticate(`Bearer ${token}`, audience))
    return { revocations, ports, counts, authenticate, passes }
  }
  const register = async (ports: Ports, username: string): Promise<Actor> => {
    const input = { username, password, name: 'Somebody', roles: ['staff' as const] }
    const context = world.context(administrator)
    const { user } = accepted(await execute(ports, registerUser, input as never, context)).answer
    return { id: user, roles: ['staff'] }
  }
  const enter = async (ports: Ports, username: string, audience: AudienceName = 'daybook') =>
    accepted(await logIn.run(ports, { username, password, audience }, world.context(anonymous)))
      .answer

  test('a token becomes an actor, and its signature is checked once', async () => {
    const { ports, authenticate, counts } = startProcess()
    const { id } = await register(ports, 'anna')
    const { access_token, session } = await enter(ports, 'anna')
    for (let n = 0; n < 5; n += 1) {
      expect(await authenticate(`bearer ${access_token}`, 'daybook')).toMatchObject({
        id,
        roles: ['staff'],
        session,
      })
    }
    expect(counts.verified).toBe(1)
  })

  test('a token ends with its fifteen minutes, cached or not', async () => {
    const { ports, passes } = startProcess()
    await register(ports, 'bert')
    const { access_token } = await enter(ports, 'bert')
    world.advance(15 * MINUTE - 2000)
    expect(await passes(access_token)).toBe(true)
    world.advance(2000)
    expect(await passes(access_token)).toBe(false)
    expect(await startProcess().passes(access_token)).toBe(false)
  })

  test('a token is good for its audience only', async () => {
    const { ports, passes } = startProcess()
    await register(ports, 'carl')
    const { access_token } = await enter(ports, 'carl', 'churn')
    expect(await passes(access_token)).toBe(false)
    expect(await passes(access_token, 'churn')).toBe(true)
    expect(await passes(access_token)).toBe(false)
  })

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic dXNlcjpwYXNz',
    'Bearer x',
    'Bearer a b',
    `Bearer daybook_${'0'.repeat(26)}_${'a'.repeat(43)}`,
    'Bearer daybook_',
  ])('the header %j is nobody', async (header) => {
    const outcome = await startProcess().authenticate(header, 'daybook')
    expect(isUnauthenticated(outcome)).toBe(true)
  })

  test('a header of any length costs nothing', async () => {
    const { authenticate, counts } = startProcess()
    const outcome = await authenticate(`Bearer ${'a'.repeat(5000)}`, 'daybook')
    expect(isUnauthenticated(outcome)).toBe(true)
    expect(counts.verified).toBe(0)
  })

  test.each([
    [
      'log-out',
      (ports: Ports, user: Actor, session: string) =>
        execute(ports, logOut, { session }, world.context(user)),
    ],
    [
      'disabling',
      (ports: Ports, { id }: Actor) =>
        execute(ports, disableUser, { user: id, reason: 'left' }, world.context(administrator)),
    ],
    [
      'a new password',
      (ports: Ports, { id }: Actor) =>
        execute(
          ports,
          resetPassword,
          { user: id, new_password: 'a second password' },
          world.context(administrator),
        ),
    ],
    [
      'new roles',
      (ports: Ports, { id }: Actor) =>
        execute(ports, changeRoles, { user: id, roles: ['manager'] }, world.context(administrator)),
    ],
  ])('%s takes effect at once here, soon elsewhere, and after a restart', async (name, act) => {
    const here = startProcess()
    const there = startProcess()
    const stopping = new AbortController()
    const username = name.replaceAll(' ', '-')
    const fresh = await world.project([userBook, sessionBook])
    const user = await register(here.ports, username)
    await register(here.ports, `${username}-2`)
    const { access_token, session, refresh_token } = await enter(here.ports, username)
    const other = await enter(here.ports, `${username}-2`)
    const following = { database: world.database, log, signal: stopping.signal }
    await there.revocations.follow({ ...following, store: there.ports.store })
    expect(await here.passes(access_token)).toBe(true)
    expect(await there.passes(access_token)).toBe(true)

    const { position } = accepted<unknown>(await act(here.ports, user, session))
    expect(await here.passes(access_token)).toBe(false)
    await until('the other process knows', async () => !(await there.passes(access_token)))

    // Once from the log alone, once from read models that have seen it already.
    await fresh(position)
    const restarted = startProcess()
    await restarted.revocations.follow({ ...following, store: restarted.ports.store })
    expect(await restarted.passes(access_token)).toBe(false)
    for (const process of [here, there, restarted]) {
      expect(await process.passes(other.access_token)).toBe(true)
    }
    if (name === 'new roles') {
      const { answer } = accepted(
        await refreshSession.run(
          there.ports,
          { refresh_token, audience: 'daybook' },
          world.context(anonymous),
        ),
      )
      for (const process of [here, there, restarted]) {
        expect(
          await process.authenticate(`Bearer ${answer.access_token}`, 'daybook'),
        ).toMatchObject({ roles: ['manager'] })
      }
    }
    stopping.abort()
  })

  test('an API key becomes its service until it is revoked, here and elsewhere', async () => {
    const here = startProcess()
    const there = startProcess()
    const stopping = new AbortController()
    await world.project([userBook, sessionBook])
    const issue = async (more: object = {}) => {
      const input = issueApiKey.input.parse({ name: 'importer', roles: ['staff'], ...more })
      const context = world.context(administrator)
      return accepted(await execute(here.ports, issueApiKey, input, context)).answer
    }
    const { key, token } = await issue()
    await there.revocations.follow({
      store: there.ports.store,
      database: world.database,
      log,
      signal: stopping.signal,
    })
    for (let n = 0; n < 3; n += 1) {
      expect(await here.authenticate(`Bearer ${token}`, 'daybook')).toEqual({
        id: key,
        roles: ['staff'],
      })
    }
    expect(here.counts.looked).toBe(1)
    expect(await there.passes(token ?? '')).toBe(true)
    expect(await here.passes(token ?? '', 'churn')).toBe(false)
    expect(await here.passes(`${token?.slice(0, -1)}`)).toBe(false)

    const revoke = { key, reason: 'leaked' }
    accepted(await execute(here.ports, revokeApiKey, revoke, world.context(administrator)))
    expect(await here.passes(token ?? '')).toBe(false)
    await until('the other process knows', async () => !(await there.passes(token ?? '')))
    expect(await startProcess().passes(token ?? '')).toBe(false)
    stopping.abort()
  })

  test('an API key ends when it expires, and is looked up again in between', async () => {
    const { ports, passes, counts } = startProcess()
    const expires_at = new Date(world.context(anonymous).at.getTime() + 40 * MINUTE).toISOString()
    const input = issueApiKey.input.parse({ name: 'importer', roles: ['staff'], expires_at })
    const { answer } = accepted(
      await execute(ports, issueApiKey, input, world.context(administrator)),
    )
    const token = answer.token ?? ''
    expect(await passes(token)).toBe(true)
    world.advance(15 * MINUTE)
    expect(await passes(token)).toBe(true)
    expect(counts.looked).toBe(2)
    world.advance(25 * MINUTE)
    expect(await passes(token)).toBe(false)
  })

  test('a mark that an append left names its subject', async () => {
    const { ports, revocations } = startProcess()
    const user = await register(ports, 'dora')
    const believedSince = new Date()
    const credential = { subjects: [[subjectOf.user(user.id), 0] as const], believedSince }
    expect(revocations.voids(credential)).toBe(false)
    const input = { user: user.id, new_password: 'a second password' }
    accepted(await execute(ports, resetPassword, input, world.context(administrator)))
    expect(revocations.voids(credential)).toBe(true)
  })
})
