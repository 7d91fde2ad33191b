import { describe, expect, it } from 'vitest'
import { type EntryView, movementOf, movementsOf, observationOf } from '../ml/movements.ts'

const line = (direction: 'debit' | 'credit', account: string, amount: string, asset = 'USD/2') => ({
  direction,
  account,
  amount,
  asset,
})

const entry = (lines: EntryView['lines'], metadata?: Record<string, string>): EntryView => ({
  id: 'e1',
  kind: 'transfer',
  booked_at: '2026-03-02T12:00:00.000Z',
  lines,
  ...(metadata && { metadata }),
})

const payment = [line('debit', 'customers:1:a', '512'), line('credit', 'clearing:x', '512')]

describe('movements', () => {
  it('run from the largest customer debit to the largest credit of its asset', () => {
    const movement = movementOf(
      'main',
      4,
      entry([
        line('debit', 'fx:eur', '90000', 'EUR/2'),
        line('credit', 'customers:2:checking', '90000', 'EUR/2'),
        line('debit', 'suspense:other', '99999'),
        line('debit', 'customers:3:checking', '100'),
        line('debit', 'customers:1:checking', '10250'),
        line('credit', 'income:fees', '349'),
        line('credit', 'fx:usd', '110000'),
      ]),
    )
    expect(movement).toEqual({
      book: 'main',
      revision: 4,
      entry: 'e1',
      kind: 'transfer',
      account: 'customers:1:checking',
      counterparty: 'fx:usd',
      amount: '10250',
      asset: 'USD/2',
      booked_at: '2026-03-02T12:00:00.000Z',
      scored: true,
    })
  })

  it('are not scored when the bank pays', () => {
    const deposit = entry([
      line('debit', 'cash:vault', '500'),
      line('credit', 'customers:1:checking', '500'),
    ])
    expect(movementOf('main', 0, deposit)).toMatchObject({
      account: 'cash:vault',
      counterparty: 'customers:1:checking',
      scored: false,
    })
  })

  it('come from postings only, a batch in its order', () => {
    const at = { stream: 'book-main', revision: 7 }
    const one = entry([line('debit', 'customers:1:a', '5'), line('credit', 'clearing:x', '5')])
    const batch = { ...at, type: 'EntriesPosted', data: { entries: [one, { ...one, id: 'e2' }] } }
    expect(movementsOf(batch).map(({ book, entry, revision }) => [book, entry, revision])).toEqual([
      ['main', 'e1', 7],
      ['main', 'e2', 7],
    ])
    expect(movementsOf({ ...at, type: 'EntryPosted', data: { entry: one } })).toHaveLength(1)
    expect(movementsOf({ ...at, type: 'AccountFrozen', data: {} })).toEqual([])
  })

  it('say where they were made and with what, when the entry does', () => {
    const of = (metadata?: Record<string, string>) =>
      movementOf('main', 0, entry(payment, metadata))
    expect(of({ machine: 'atm-1', device: 'd' })).toMatchObject({ terminal: 'atm-1', device: 'd' })
    expect(of({ machine: 'atm-1', terminal: 't-2' })).toMatchObject({ terminal: 't-2' })
    expect(Object.keys(of({ check_number: '7' }))).not.toContain('terminal')
  })

  it('are observed in major units, at the time of the entry', () => {
    const movement = movementOf('main', 0, entry(payment, { machine: 'atm-1' }))
    expect(observationOf(movement)).toEqual({
      entry: 'e1',
      customer: 'customers:1:a',
      payee: 'clearing:x',
      terminal: 'atm-1',
      device: undefined,
      amount: 5.12,
      at_ms: Date.parse('2026-03-02T12:00:00.000Z'),
      kind: 'transfer',
    })
  })
})
