import { describe, expect, test } from 'vitest'
import { assignClient, unassignClient } from '../commands/assignments.ts'
import { openDeposit } from '../commands/deposits.ts'
import { execute } from '../commands/kernel.ts'
import { openBook } from '../commands/ledger/index.ts'
import { openPaymentAccounts, requestCounterPayment } from '../commands/payments/index.ts'
import { registerUser } from '../commands/users.ts'
import { Assignment } from '../domain/assignments.ts'
import { isRefusal } from '../domain/kernel.ts'
import { type Role, reachOf } from '../domain/permissions.ts'
import { createMemoryPorts } from './support/memory.ts'
import { spec } from './support/spec.ts'

const NOON = '2026-03-10T12:00:00.000Z'
const assignment = (banker: string) => ({
  ...{ client: 'ama', banker, assigned_by: 'mary', assigned_at: NOON },
})
const assigned = (banker: string) => ({ type: 'ClientAssigned', data: assignment(banker) }) as const
const unassignment = { client: 'ama', unassigned_by: 'mary', unassigned_at: NOON }
const unassigned = {
  type: 'ClientUnassigned',
  data: { ...unassignment, banker: 'kofi' },
} as const

test('a client has one banker at most', () => {
  const given = spec(Assignment).given
  given().when('assign', assignment('kofi')).gives(assigned('kofi'))
  given(assigned('kofi')).when('assign', assignment('kofi')).happens()
  given(assigned('kofi')).when('assign', assignment('yaw')).gives(assigned('yaw'))
  given(assigned('kofi')).when('unassign', unassignment).gives(unassigned)
  given().when('unassign', unassignment).happens()
  given(assigned('kofi'), unassigned).when('unassign', unassignment).happens()
})

test('the widest of what the roles reach counts', () => {
  const reach = (...roles: Role[]) => reachOf(roles, 'accounts:read')
  expect(reach('mobile_banker')).toBe('assigned')
  expect(reach('customer', 'mobile_banker')).toBe('assigned')
  expect(reach('mobile_banker', 'teller')).toBe('all')
  expect(reach('customer')).toBe('own')
  expect(reach('retention')).toBe(undefined)
})

describe('a mobile banker', () => {
  const open = async () => {
    const ports = createMemoryPorts(() => new Date(NOON))
    const as = (id: string, role: Role) => ({
      ...{ actor: { id, roles: [role] }, at: new Date(NOON), correlation: 'test' },
    })
    const admin = as('root', 'admin')
    const register = async (username: string, role: Role) => {
      const asked = { username, password: 'a long enough password', name: username, roles: [role] }
      const receipt = await execute(ports, registerUser, registerUser.input.parse(asked), admin)
      if (isRefusal(receipt)) throw new Error(receipt.detail)
      return receipt.answer.user
    }
    const ama = await register('ama', 'customer')
    const kofi = await register('kofi', 'mobile_banker')
    const opened = { book: 'main', name: 'Main', assets: ['GHS/2'] }
    await execute(ports, openBook, openBook.input.parse(opened), admin)
    await execute(ports, openPaymentAccounts, { book: 'main', asset: 'GHS/2' }, admin)
    const account = async (context = as(kofi, 'mobile_banker')) => {
      const asked = { book: 'main', customer: ama, product: 'member_savings', asset: 'GHS/2' }
      return execute(ports, openDeposit, openDeposit.input.parse(asked), context)
    }
    const assign = (user: string, banker: string) =>
      execute(ports, assignClient, { user, banker }, admin)
    return { ports, as, admin, ama, kofi, account, assign }
  }

  test('opens accounts for his clients, and serves them, for as long as they are his', async () => {
    const { ports, as, admin, ama, kofi, account, assign } = await open()
    expect(await account()).toMatchObject({ refused: 'CLIENT_NOT_ASSIGNED' })
    await assign(ama, kofi)
    const receipt = await account()
    if (isRefusal(receipt)) throw new Error(receipt.detail)
    const deposit = {
      ...{ book: 'main', kind: 'deposit' as const, account: receipt.answer.account },
      ...{ amount: '1000', description: '' },
    }
    const serve = (by: string) =>
      execute(ports, requestCounterPayment, deposit, as(by, 'mobile_banker'))
    expect(await serve(kofi)).toMatchObject({ answer: { status: 'accepted' } })
    expect(await serve('another')).toMatchObject({ refused: 'CLIENT_NOT_ASSIGNED' })
    await execute(ports, unassignClient, { user: ama }, admin)
    expect(await serve(kofi)).toMatchObject({ refused: 'CLIENT_NOT_ASSIGNED' })
  })

  test('is one by his role, and a client too', async () => {
    const { ama, kofi, assign } = await open()
    const unfit = { refused: 'ASSIGNMENT_UNFIT' }
    expect(await assign(ama, ama)).toMatchObject({ ...unfit, facts: { field: 'banker' } })
    expect(await assign(kofi, kofi)).toMatchObject({ ...unfit, facts: { field: 'user' } })
    expect(await assign('nobody', kofi)).toMatchObject({ refused: 'USER_NOT_FOUND' })
    expect(await assign(ama, 'nobody')).toMatchObject({ refused: 'USER_NOT_FOUND' })
  })
})
