import { expect, test } from 'vitest'
import { execute } from '../commands/kernel.ts'
import { appointStaff } from '../commands/staff.ts'
import { accepted, administrator, codeOf } from './people-support.ts'
import { createMemoryPorts } from './support/memory.ts'

const MANY = 60
const PHONE = '+233244123456'
const appointed = (name: string, role = 'cashier') => ({
  ...{ username: name, name, email: `${name}@example.com`, phone: PHONE, role, details: {} },
})
const open = () => {
  const ports = createMemoryPorts(() => new Date('2026-03-01T12:00:00.000Z'))
  const context = { actor: administrator, at: ports.clock(), correlation: 'test' }
  const messages = () =>
    ports.store.log.flatMap(({ type, data }) =>
      type === 'OutboxMessageQueued' ? [data as { message: string; sealed: string }] : [],
    )
  const passwords = () =>
    messages().map(({ sealed }) => JSON.parse(Buffer.from(sealed, 'base64').toString()).secret)
  return { ports, context, passwords }
}

test('a first password has twelve characters, of each kind, and is nobody else’s', async () => {
  const { ports, context, passwords } = open()
  for (let count = 0; count < MANY; count += 1) {
    accepted(await execute(ports, appointStaff, appointed(`user${count}`), context))
  }
  const made = passwords()
  expect(new Set(made).size).toBe(MANY)
  for (const password of made) {
    expect(password).toHaveLength(12)
    for (const kind of [/[A-Z]/, /[a-z]/, /\d/, /[#%+=?@]/]) expect(password).toMatch(kind)
  }
})

test('asked for again under its key, the message that a crash had kept back is made', async () => {
  const { ports, context, passwords } = open()
  const keyed = { ...context, key: 'once' }
  const vault = {
    ...ports.vault,
    seal: async (subject: string, fields: Readonly<Record<string, string>>) => {
      if ('secret' in fields) throw new Error('the process ends here')
      return ports.vault.seal(subject, fields)
    },
  }
  const input = appointed('kofi')
  await expect(execute({ ...ports, vault }, appointStaff, input, keyed)).rejects.toThrow(
    'ends here',
  )
  expect(passwords()).toEqual([])
  accepted(await execute(ports, appointStaff, input, keyed))
  accepted(await execute(ports, appointStaff, input, keyed))
  const [password, ...others] = passwords()
  expect(others).toEqual([])
  const registered = ports.store.log.find(({ type }) => type === 'UserRegistered')
  const { password_hash } = (registered?.data ?? {}) as { password_hash: string }
  expect(await ports.secrets.verifyPassword(password_hash, password)).toBe(true)
})

test('nobody is appointed to what is above those who appoint', async () => {
  const { ports, context } = open()
  for (const role of ['manager', 'admin', 'system', 'customer', 'auditor']) {
    const outcome = await execute(ports, appointStaff, appointed('kofi', role), context)
    expect(codeOf(outcome)).toBe('ROLE_NOT_APPOINTABLE')
  }
})
