import { describe, expect, it } from 'vitest'
import { AccountCode, EntryKind, Identifier } from '../domain/ledger/events.ts'
import { simulate } from '../ml/simulator.ts'

const settings = {
  seed: 11,
  customers: 60,
  from: new Date('2026-01-05T13:00:00Z'),
  days: 40,
  fraud: { attacks: 12, mules: 5 },
}

describe('simulated traffic', () => {
  const simulation = simulate(settings)
  const postings = [...simulation.postings]

  it('is the same for the same seed, another for another', () => {
    expect([...simulation.postings]).toEqual(postings)
    expect([...simulate(settings).postings]).toEqual(postings)
    expect([...simulate({ ...settings, seed: 12 }).postings]).not.toEqual(postings)
  })

  it('leaves the honest plans of people alone when the ring changes', () => {
    const quiet = [...simulate({ ...settings, fraud: { attacks: 0, mules: 0 } }).postings]
    expect(quiet.some((posting) => posting.fraud)).toBe(false)
    const payroll = (list: typeof postings) => list.filter(({ kind }) => kind === 'payroll')
    expect(payroll(postings)).toEqual(payroll(quiet))
  })

  it('runs forwards in time, within its period', () => {
    const times = postings.map(({ at }) => at.getTime())
    expect(times).toEqual([...times].sort((one, other) => one - other))
    expect(postings[0]?.at.toISOString()).toBe('2026-01-05T00:00:00.000Z')
    expect(times.at(-1)).toBeLessThan(Date.parse('2026-02-14'))
  })

  it('never takes a customer below zero and names known accounts only', () => {
    const balances = new Map<string, bigint>(simulation.internal.map(({ code }) => [code, 0n]))
    for (const { accounts } of simulation.customers) {
      balances.set(accounts.checking, 0n).set(accounts.savings, 0n)
    }
    for (const { from, to, amount, kind } of postings) {
      const [paid, received] = [balances.get(from), balances.get(to)]
      if (paid === undefined || received === undefined) throw new Error(`${from} ${to} unknown`)
      balances.set(from, paid - amount).set(to, received + amount)
      expect(amount).toBeGreaterThan(0n)
      expect(EntryKind.safeParse(kind).success).toBe(true)
      if (from.startsWith('customers:')) expect(balances.get(from)).toBeGreaterThanOrEqual(0n)
    }
  })

  it('gives ids and codes that the ledger accepts', () => {
    for (const { id, accounts } of simulation.customers) {
      expect(Identifier.safeParse(id).success).toBe(true)
      expect(AccountCode.safeParse(accounts.checking).success).toBe(true)
      expect(AccountCode.safeParse(accounts.savings).success).toBe(true)
    }
  })

  it('labels take-overs and what the mules do with the money', () => {
    const fraud = postings.filter((posting) => posting.fraud)
    expect(fraud.length).toBeGreaterThan(30)
    expect(fraud.length / postings.length).toBeLessThan(0.1)
    expect(new Set(fraud.map(({ kind }) => kind))).toEqual(new Set(['transfer', 'withdrawal']))
  })
})
