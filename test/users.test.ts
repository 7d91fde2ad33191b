import { describe, expect, test } from 'vitest'
import { execute } from '../commands/kernel.ts'
import { claimOf, findUser } from '../commands/usernames.ts'
import {
  changePassword,
  changeRoles,
  disableUser,
  enableUser,
  ensureAdministrator,
  RegisterUser,
  registerUser,
  resetPassword,
} from '../commands/users.ts'
import type { Role } from '../domain/permissions.ts'
import { User } from '../domain/users.ts'
import { getSelf, getUser, listUsers, userBook } from '../projections/users.ts'
import { accepted, administrator, codeOf, given, typesIn, useWorld } from './people-support.ts'

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 9, minute)).toISOString()

const registered = {
  type: 'UserRegistered',
  data: {
    user: 'u1',
    username_claim: 'claim',
    profile: 'sealed',
    roles: ['customer' as Role],
    password_hash: 'hash-1',
    registered_at: at(0),
  },
}

describe('a user', () => {
  const passwordChanged = {
    type: 'UserPasswordChanged',
    data: { user: 'u1', password_hash: 'hash-2', changed_at: at(1) },
  }

  test('is registered once', () => {
    const { data } = registered
    expect(User.decide.register(given(User, []), data)).toEqual([registered])
    expect(User.decide.register(given(User, [registered]), data)).toMatchObject({
      refused: 'USER_EXISTS',
    })
  })

  test('changes the password only against the one that was compared', () => {
    const command = { ...passwordChanged.data, replaces: 'hash-1' }
    expect(User.decide.changePassword(given(User, [registered]), command)).toEqual([
      passwordChanged,
    ])
    const later = given(User, [registered, passwordChanged])
    expect(User.decide.changePassword(later, command)).toMatchObject({
      refused: 'CREDENTIALS_INVALID',
    })
    expect(User.decide.changePassword(later, { ...command, replaces: null })).toHaveLength(1)
  })

  test('has sessions from the last password change or disabling on', () => {
    const disabled = {
      type: 'UserDisabled',
      data: { user: 'u1', reason: 'left', disabled_at: at(2) },
    }
    const enabled = {
      type: 'UserEnabled',
      data: { user: 'u1', reason: 'back', enabled_at: at(3) },
    }
    const rolesChanged = {
      type: 'UserRolesChanged',
      data: { user: 'u1', roles: ['staff' as Role], changed_at: at(1) },
    }
    expect(given(User, [registered, rolesChanged]).sessionsFrom).toBe(0)
    expect(given(User, [registered, passwordChanged, rolesChanged]).sessionsFrom).toBe(1)
    expect(given(User, [registered, passwordChanged, disabled, enabled])).toMatchObject({
      sessionsFrom: 2,
      status: 'active',
    })
  })

  test('the same roles in another order are no change', () => {
    const state = given(User, [
      { ...registered, data: { ...registered.data, roles: ['staff', 'manager'] } },
    ])
    const command = { user: 'u1', by: 'root', changed_at: at(1) }
    const same: Role[] = ['manager', 'staff']
    expect(User.decide.changeRoles(state, { ...command, roles: same })).toEqual([])
    expect(User.decide.changeRoles(state, { ...command, roles: ['staff'] })).toHaveLength(1)
  })

  test('nobody disables himself or changes his own roles', () => {
    const state = given(User, [registered])
    const own = { user: 'u1', by: 'u1' }
    expect(User.decide.disable(state, { ...own, reason: 'x', disabled_at: at(1) })).toMatchObject({
      refused: 'NOT_PERMITTED',
    })
    expect(
      User.decide.changeRoles(state, { ...own, roles: ['admin'], changed_at: at(1) }),
    ).toMatchObject({ refused: 'NOT_PERMITTED' })
  })
})

describe('registration', () => {
  const world = useWorld()
  const password = 'correct horse battery'
  const person = (username: string, more: object = {}) =>
    RegisterUser.parse({ username, password, name: 'Ada Byron', roles: ['customer'], ...more })
  const register = (username: string, more: object = {}, key?: string) =>
    execute(
      world.ports,
      registerUser,
      person(username, more),
      world.context(administrator, { key }),
    )

  test('seals what a person is called and keeps no password', async () => {
    const { answer } = accepted(await register('Ada', { email: 'ada@example.org' }, 'key-ada'))
    const claim = claimOf(world.ports, 'ada')
    let text = ''
    for await (const event of world.ports.store.readAll()) {
      text += JSON.stringify({ ...event, position: '' })
    }
    expect(text).toContain(claim)
    expect(text).toContain(answer.user)
    expect(text).not.toMatch(/Ada|Byron|ada@example|horse/)
  })

  test('a username is taken whatever its case and spelling', async () => {
    accepted(await register('Zoë'))
    expect(codeOf(await register('ZOE\u0308'))).toBe('USERNAME_TAKEN')
    expect(codeOf(await register('zoe'))).toBeUndefined()
    world.advance(120_000)
    expect(codeOf(await register('zoe'))).toBe('USERNAME_TAKEN')
  })

  test('of the same name at once in two processes gives one user', async () => {
    const other = world.anotherProcess()
    const outcomes = await Promise.all(
      [world.ports, other].map((ports) =>
        execute(ports, registerUser, person('race'), world.context(administrator)),
      ),
    )
    expect(outcomes.map(codeOf).sort()).toEqual(['USERNAME_TAKEN', undefined])
  })

  test('repeated with its key gives the first answer', async () => {
    const first = accepted(await register('bob', {}, 'key-bob'))
    const again = accepted(await register('bob', {}, 'key-bob'))
    expect(again).toMatchObject({ replayed: true, answer: first.answer })
    expect(codeOf(await register('bob', { name: 'Robert' }, 'key-bob'))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    )
  })

  test('a chosen id is honoured once, and a refused request leaves the other name free', async () => {
    expect(accepted(await register('carol', { user: 'c0042' })).answer.user).toBe('c0042')
    expect(codeOf(await register('dave', { user: 'c0042' }))).toBe('USER_EXISTS')
    expect(await findUser(world.ports, 'dave')).toBeUndefined()
    expect(codeOf(await register('dave'))).toBeUndefined()
  })

  /** A process that ends after the first of the two appends. */
  const broken = () =>
    world.anotherProcess((store) => ({
      ...store,
      append: (stream, expected, events) => {
        if (stream.startsWith('user-')) return Promise.reject(new Error('the process ended'))
        return store.append(stream, expected, events)
      },
    }))

  test('interrupted between its two appends, the name is free after a minute', async () => {
    await expect(
      execute(broken(), registerUser, person('erin'), world.context(administrator)),
    ).rejects.toThrow('the process ended')
    expect(codeOf(await register('erin'))).toBe('USERNAME_TAKEN')
    world.advance(60_000)
    const { answer } = accepted(await register('erin'))
    expect((await findUser(world.ports, 'erin'))?.id).toBe(answer.user)
  })

  test('a name claimed for an id that then went to another name belongs to nobody', async () => {
    await expect(
      execute(broken(), registerUser, person('olga', { user: 'c7' }), world.context(administrator)),
    ).rejects.toThrow('the process ended')
    accepted(await register('nina', { user: 'c7' }))
    expect(await findUser(world.ports, 'olga')).toBeUndefined()
    expect((await findUser(world.ports, 'nina'))?.id).toBe('c7')
    world.advance(60_000)
    const { answer } = accepted(await register('olga'))
    expect((await findUser(world.ports, 'olga'))?.id).toBe(answer.user)
  })

  test('a dry run claims nothing', async () => {
    const context = world.context(administrator, { dryRun: true })
    accepted(await execute(world.ports, registerUser, person('frank'), context))
    expect(await typesIn(world.ports.store, `username-${claimOf(world.ports, 'frank')}`)).toEqual(
      [],
    )
    expect(codeOf(await register('frank'))).toBeUndefined()
  })

  test('is for those who manage users', async () => {
    const manager = world.context({ id: 'm', roles: ['manager'] })
    expect(codeOf(await execute(world.ports, registerUser, person('grace'), manager))).toBe(
      'NOT_PERMITTED',
    )
  })

  test.each([
    ['a short password', { password: 'eleven char' }],
    ['a long password', { password: 'x'.repeat(1025) }],
    ['a username with a space', { username: 'a b' }],
    ['an empty name', { name: ' ' }],
    ['the role of the system', { roles: ['system'] }],
    ['a role twice', { roles: ['staff', 'staff'] }],
    ['a reserved id', { user: 'system' }],
  ])('does not accept %s', (_what, fault) => {
    const fine = { username: 'henry', password, name: 'Henry', roles: ['customer'] }
    expect(RegisterUser.safeParse(fine).success).toBe(true)
    expect(RegisterUser.safeParse({ ...fine, ...fault }).success).toBe(false)
  })

  test('the first administrator is made once and never changed', async () => {
    const first = { username: 'admin', password: 'a first password' }
    const other = world.anotherProcess()
    const both = await Promise.all([
      ensureAdministrator(world.ports, first),
      ensureAdministrator(other, first),
    ])
    const [one, two] = both as { user: string; created: boolean }[]
    expect(one?.user).toBe(two?.user)
    expect([one?.created, two?.created].sort()).toEqual([false, true])
    const again = await ensureAdministrator(world.ports, { ...first, password: 'another password' })
    expect(again).toEqual({ user: one?.user, created: false })
    expect(await ensureAdministrator(world.ports, { ...first, password: 'short' })).toEqual(again)
    const found = await findUser(world.ports, 'admin')
    expect(found?.state.roles).toEqual(['admin'])
    const { secrets } = world.ports
    expect(await secrets.verifyPassword(found?.state.passwordHash, first.password)).toBe(true)
    expect(
      codeOf(await ensureAdministrator(world.ports, { username: 'x', password: 'short' })),
    ).toBe('CREDENTIALS_INVALID')
  })

  test('a password is changed by who knows it, and reset by an administrator', async () => {
    const { user } = accepted(await register('ivan')).answer
    const own = world.context({ id: user, roles: ['customer'] })
    const wrong = { current_password: 'not this one', new_password: 'a second password' }
    expect(codeOf(await execute(world.ports, changePassword, wrong, own))).toBe(
      'CREDENTIALS_INVALID',
    )
    const right = { ...wrong, current_password: password }
    accepted(await execute(world.ports, changePassword, right, own))
    const { secrets } = world.ports
    const hash = async () => (await findUser(world.ports, 'ivan'))?.state.passwordHash
    expect(await secrets.verifyPassword(await hash(), 'a second password')).toBe(true)
    const reset = { user, new_password: 'a third password' }
    accepted(await execute(world.ports, resetPassword, reset, world.context(administrator)))
    expect(await secrets.verifyPassword(await hash(), 'a third password')).toBe(true)
    expect(codeOf(await execute(world.ports, resetPassword, reset, own))).toBe('NOT_PERMITTED')
  })

  test('a change that seems made already is judged on the newest state, not on an old one', async () => {
    const { user } = accepted(await register('mona')).answer
    const other = world.anotherProcess()
    const change = { user, reason: 'test' }
    const context = world.context(administrator)
    accepted(await execute(other, disableUser, change, context))
    accepted(await execute(world.ports, enableUser, change, context))
    accepted(await execute(other, disableUser, change, context))
    expect(await typesIn(world.ports.store, `user-${user}`)).toEqual([
      'UserRegistered',
      'UserDisabled',
      'UserEnabled',
      'UserDisabled',
    ])
  })

  test('the read models show users, and nothing of whom was forgotten', async () => {
    const fresh = await world.project([userBook])
    const { ports, database } = world
    const { vault } = ports
    const asker = { id: 'root', reach: 'all' as const, at: new Date() }
    const { user } = accepted(await register('judy', { roles: ['analyst'] })).answer
    const { user: second } = accepted(await register('kim', { roles: ['analyst'] })).answer
    const context = world.context(administrator)
    accepted(await execute(ports, disableUser, { user, reason: 'on leave' }, context))
    accepted(await execute(ports, enableUser, { user, reason: 'back' }, context))
    accepted(await execute(ports, disableUser, { user, reason: 'left' }, context))
    const roles: Role[] = ['analyst', 'auditor']
    const { position } = accepted(
      await execute(ports, changeRoles, { user: second, roles } as never, context),
    )
    await fresh(position)
    expect(await getUser.run(database, { user }, asker, vault)).toMatchObject({
      user,
      username: 'judy',
      name: 'Ada Byron',
      email: null,
      status: 'disabled',
      status_reason: 'left',
      revision: 3,
    })
    expect(await getSelf.run(database, {}, { ...asker, id: second }, vault)).toMatchObject({
      roles,
    })
    expect(await getUser.run(database, { user: 'nobody' }, asker, vault)).toBeUndefined()

    const input = listUsers.input.parse({ role: 'analyst', limit: '1' })
    const first = await listUsers.run(database, input, asker, vault)
    const { next_cursor } = first
    const rest = await listUsers.run(
      database,
      { ...input, cursor: next_cursor ?? '' },
      asker,
      vault,
    )
    expect([...first.items, ...rest.items].map((item) => item.user).sort()).toEqual(
      [user, second].sort(),
    )
    expect(rest.next_cursor).toBeNull()
    const active = listUsers.input.parse({ role: 'analyst', status: 'active' })
    const { items } = await listUsers.run(database, active, asker, vault)
    expect(items.map((item) => item.user)).toEqual([second])

    await vault.forget(user)
    expect(await getUser.run(database, { user }, asker, vault)).toMatchObject({
      username: null,
      name: null,
      status: 'disabled',
    })
  })
})
