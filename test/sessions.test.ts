import { describe, expect, test } from 'vitest'
import { execute } from '../commands/kernel.ts'
import type { Actor, Ports } from '../commands/ports.ts'
import { logIn, logOut, refreshSession, revokeSession } from '../commands/sessions.ts'
import { claimOf } from '../commands/usernames.ts'
import {
  changeRoles,
  disableUser,
  enableUser,
  registerUser,
  resetPassword,
} from '../commands/users.ts'
import type { Role } from '../domain/permissions.ts'
import { Session } from '../domain/sessions.ts'
import { listOwnSessions, listSessions, sessionBook } from '../projections/sessions.ts'
import { userBook } from '../projections/users.ts'
import {
  accepted,
  administrator,
  anonymous,
  codeOf,
  given,
  typesIn,
  useWorld,
} from './people-support.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

describe('a session', () => {
  const opened = {
    type: 'SessionOpened',
    data: {
      session: 's1',
      user: 'u1',
      user_revision: 3,
      roles: ['customer' as Role],
      audience: 'daybook',
      refresh_digest: 'd1',
      opened_at: '2026-01-01T09:00:00.000Z',
      expires_at: '2026-01-31T09:00:00.000Z',
    },
  }
  const refreshed = (previous: string, next: string) => ({
    type: 'SessionRefreshed',
    data: {
      session: 's1',
      refresh_digest: next,
      previous_digest: previous,
      refreshed_at: '2026-01-01T10:00:00.000Z',
    },
  })
  const revoked = {
    type: 'SessionRevoked',
    data: { session: 's1', reason: 'logout' as const, revoked_at: '2026-01-01T11:00:00.000Z' },
  }
  const request = {
    session: 's1',
    given_digest: 'd1',
    next_digest: 'd2',
    sessions_from: 3,
    at: '2026-01-01T10:00:00.000Z',
  }

  test('gives the next refresh token for the present one', () => {
    expect(Session.decide.refresh(given(Session, [opened]), request)).toEqual([
      refreshed('d1', 'd2'),
    ])
  })

  test('ends when an old refresh token comes back, at any distance', () => {
    const state = given(Session, [opened, refreshed('d1', 'd2'), refreshed('d2', 'd3')])
    for (const given_digest of ['d1', 'd2']) {
      expect(Session.decide.refresh(state, { ...request, given_digest })).toEqual([
        {
          type: 'SessionRevoked',
          data: { session: 's1', reason: 'reuse', revoked_at: request.at },
        },
      ])
    }
  })

  test('does not end by an invented refresh token', () => {
    const state = given(Session, [opened])
    expect(Session.decide.refresh(state, { ...request, given_digest: 'dx' })).toMatchObject({
      refused: 'REFRESH_TOKEN_INVALID',
    })
  })

  test('remembers a bounded number of old refresh tokens', () => {
    const many = Array.from({ length: 100 }, (_, n) => refreshed(`d${n}`, `d${n + 1}`))
    expect(given(Session, [opened, ...many]).usedDigests).toHaveLength(32)
  })

  test.each([
    ['revoked', [opened, revoked], request],
    ['expired', [opened], { ...request, at: opened.data.expires_at }],
    ['opened on what the user was before', [opened], { ...request, sessions_from: 4 }],
  ])('is not refreshed when %s', (_what, events, command) => {
    expect(Session.decide.refresh(given(Session, events), command)).toMatchObject({
      refused: 'SESSION_ENDED',
    })
  })

  test('is ended by its user, once, and by nobody else who may not', () => {
    const end = { ...revoked.data, owner: 'u1' as string | null }
    const state = given(Session, [opened])
    expect(Session.decide.revoke(state, end)).toEqual([revoked])
    expect(Session.decide.revoke(state, { ...end, owner: null })).toEqual([revoked])
    expect(Session.decide.revoke(state, { ...end, owner: 'u2' })).toMatchObject({
      refused: 'SESSION_NOT_FOUND',
    })
    expect(Session.decide.revoke(given(Session, [opened, revoked]), end)).toEqual([])
  })
})

describe('log-in', () => {
  const world = useWorld()
  const password = 'correct horse battery'
  const register = async (username: string, roles: Role[] = ['customer']): Promise<Actor> => {
    const input = { username, password, name: 'Somebody', roles: roles as ['customer'] }
    const context = world.context(administrator)
    const { user } = accepted(await execute(world.ports, registerUser, input, context)).answer
    return { id: user, roles }
  }
  const enter = (username: string, given = password, ports: Ports = world.ports) =>
    logIn.run(ports, { username, password: given, audience: 'daybook' }, world.context(anonymous))
  const refresh = (refresh_token: string, ports: Ports = world.ports) =>
    refreshSession.run(ports, { refresh_token, audience: 'daybook' }, world.context(anonymous))
  const manage = <Input>(command: unknown, input: Input) =>
    execute(
      world.ports,
      command as typeof disableUser,
      input as never,
      world.context(administrator),
    )

  test('gives an access token of fifteen minutes and a refresh token of thirty days', async () => {
    const { id } = await register('anna')
    const { answer } = accepted(await enter('ANNA'))
    const claims = await world.ports.secrets.verifyAccess(answer.access_token)
    expect(claims).toMatchObject({
      user: id,
      session: answer.session,
      roles: ['customer'],
      audience: 'daybook',
    })
    const { at } = world.context(anonymous)
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 900, user: id })
    expect(Date.parse(answer.refresh_expires_at)).toBe(at.getTime() + 30 * DAY)
  })

  test('a wrong password and an unknown name are refused alike, locked alike, recorded alike', async () => {
    await register('bert')
    for (const username of ['bert', 'nobody']) {
      const codes = []
      for (let attempt = 0; attempt < 7; attempt += 1) {
        codes.push(codeOf(await enter(username, 'wrong password')))
      }
      expect(codes).toEqual([
        ...Array.from({ length: 5 }, () => 'CREDENTIALS_INVALID'),
        'LOGIN_LOCKED',
        'LOGIN_LOCKED',
      ])
      const stream = `username-${claimOf(world.ports, username)}`
      const failures = (await typesIn(world.ports.store, stream)).filter(
        (type) => type === 'LogInFailed',
      )
      expect(failures).toHaveLength(5)
    }
    expect(codeOf(await enter('bert'))).toBe('LOGIN_LOCKED')
    world.advance(15 * MINUTE)
    expect(codeOf(await enter('bert'))).toBeUndefined()
  })

  test('many guesses at once, in two processes, are no more than five', async () => {
    await register('carl')
    const other = world.anotherProcess()
    const guesses = Array.from({ length: 12 }, (_, n) =>
      enter('carl', n === 11 ? password : `guess number ${n}`, n % 2 ? other : world.ports),
    )
    const codes = (await Promise.all(guesses)).map(codeOf)
    expect(codes.filter((code) => code === 'CREDENTIALS_INVALID').length).toBeLessThanOrEqual(5)
    expect(codeOf(await enter('carl', password, other))).toBe('LOGIN_LOCKED')
  })

  test('is for users who are not disabled, which only the right password reveals', async () => {
    const { id: user } = await register('dora')
    accepted(await manage(disableUser, { user, reason: 'left' }))
    expect(codeOf(await enter('dora'))).toBe('USER_DISABLED')
    expect(codeOf(await enter('dora', 'wrong password'))).toBe('CREDENTIALS_INVALID')
  })

  test('a refresh token works once; its second use ends the session, in any process', async () => {
    await register('emil')
    const first = accepted(await enter('emil')).answer
    const second = accepted(await refresh(first.refresh_token)).answer
    expect(second.session).toBe(first.session)
    expect(codeOf(await refresh(first.refresh_token, world.anotherProcess()))).toBe(
      'REFRESH_TOKEN_REUSED',
    )
    expect(codeOf(await refresh(second.refresh_token))).toBe('SESSION_ENDED')
    expect(await typesIn(world.ports.store, `session-${first.session}`)).toEqual([
      'SessionOpened',
      'SessionRefreshed',
      'SessionRevoked',
    ])
  })

  test('a refresh token sent twice at once: one wins, the other counts as reuse', async () => {
    await register('fred')
    const { refresh_token } = accepted(await enter('fred')).answer
    const other = world.anotherProcess()
    const outcomes = await Promise.all([refresh(refresh_token), refresh(refresh_token, other)])
    expect(outcomes.map(codeOf).sort()).toEqual(['REFRESH_TOKEN_REUSED', undefined])
  })

  test.each(['', 'x', 'a.b.c', '.', 'nosuchsession.secret', '../x.secret'])(
    'the refresh token %j is refused',
    async (token) => {
      expect(codeOf(await refresh(token))).toBe('REFRESH_TOKEN_INVALID')
    },
  )

  test('log-out lasts, also across a restart', async () => {
    const gina = await register('gina')
    const { session, refresh_token } = accepted(await enter('gina')).answer
    const someone = world.context({ id: 'someone', roles: ['customer'] })
    expect(codeOf(await execute(world.ports, logOut, { session }, someone))).toBe(
      'SESSION_NOT_FOUND',
    )
    accepted(await execute(world.ports, logOut, { session }, world.context(gina)))
    accepted(await execute(world.ports, logOut, { session }, world.context(gina)))
    expect(codeOf(await refresh(refresh_token, world.anotherProcess()))).toBe('SESSION_ENDED')
  })

  test('a new password and disabling end all sessions, also after the user is enabled again', async () => {
    const { id: user } = await register('hans')
    const one = accepted(await enter('hans')).answer
    const two = accepted(await enter('hans')).answer
    accepted(await manage(resetPassword, { user, new_password: 'a second password' }))
    for (const { refresh_token } of [one, two]) {
      expect(codeOf(await refresh(refresh_token))).toBe('SESSION_ENDED')
    }
    const three = accepted(await enter('hans', 'a second password')).answer
    accepted(await manage(disableUser, { user, reason: 'left' }))
    accepted(await manage(enableUser, { user, reason: 'back' }))
    expect(codeOf(await refresh(three.refresh_token, world.anotherProcess()))).toBe('SESSION_ENDED')
    expect(codeOf(await enter('hans', 'a second password'))).toBeUndefined()
  })

  test('a refresh brings the roles that the user has now', async () => {
    const { id: user } = await register('ines', ['staff'])
    const { refresh_token } = accepted(await enter('ines')).answer
    accepted(await manage(changeRoles, { user, roles: ['manager'] }))
    const { answer } = accepted(await refresh(refresh_token))
    expect(answer.roles).toEqual(['manager'])
    expect(await world.ports.secrets.verifyAccess(answer.access_token)).toMatchObject({
      roles: ['manager'],
      userRevision: 1,
    })
  })

  test('the session ends thirty days after the log-in, however often it was refreshed', async () => {
    await register('jens')
    const { refresh_token } = accepted(await enter('jens')).answer
    world.advance(30 * DAY - 5 * MINUTE)
    const { answer } = accepted(await refresh(refresh_token))
    expect(answer.expires_in).toBe(300)
    world.advance(5 * MINUTE)
    expect(codeOf(await refresh(answer.refresh_token))).toBe('SESSION_ENDED')
  })

  test('nothing that opens anything is in the log', async () => {
    await register('karl')
    const { access_token, refresh_token } = accepted(await enter('karl')).answer
    let text = ''
    for await (const { data, metadata } of world.ports.store.readAll()) {
      text += JSON.stringify({ data, metadata })
    }
    const [session, secret] = refresh_token.split('.')
    expect(text).toContain(session)
    expect(text).not.toContain(secret)
    expect(text).not.toContain(access_token)
    expect(text).not.toContain(password)
  })

  test('the read models show sessions to administrators and to their users', async () => {
    const fresh = await world.project([userBook, sessionBook])
    const { database, ports } = world
    const lena = await register('lena')
    const [one, two, three] = [
      accepted(await enter('lena')).answer,
      accepted(await enter('lena')).answer,
      accepted(await enter('lena')).answer,
    ]
    accepted(await manage(revokeSession, { session: one.session }))
    const { position } = accepted(await refresh(three.refresh_token))
    await fresh(position)
    const all = { id: 'root', reach: 'all' as const, at: new Date() }
    const own = { id: lena.id, reach: 'all' as const, at: new Date() }
    const list = listSessions.input.parse({ user: lena.id })
    const { items } = await listSessions.run(database, list, all, ports.vault)
    const stands = items.map(({ session, active, end_reason }) => [session, active, end_reason])
    expect(stands).toEqual(
      [
        [one.session, false, 'revoked'],
        [two.session, true, null],
        [three.session, true, null],
      ].sort((a, b) => (String(a[0]) < String(b[0]) ? 1 : -1)),
    )
    const active = listOwnSessions.input.parse({ active: 'true', limit: 1 })
    const page = await listOwnSessions.run(database, active, own, ports.vault)
    const cursor = page.next_cursor ?? ''
    const next = await listOwnSessions.run(database, { ...active, cursor }, own, ports.vault)
    expect([...page.items, ...next.items].map(({ session }) => session).sort()).toEqual(
      [two.session, three.session].sort(),
    )
    expect(next.next_cursor).toBeNull()

    const reset = { user: lena.id, new_password: 'a second password' }
    await fresh(accepted(await manage(resetPassword, reset)).position)
    expect((await listOwnSessions.run(database, active, own, ports.vault)).items).toEqual([])
  })
})
