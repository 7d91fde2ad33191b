import type { MachineSeed } from '../seed/machine.ts'

const active = 'ACTIVE' as const

const account = (
  ref: string,
  account_number: string,
  account_type: 'CHECKING' | 'SAVINGS',
  balance_cents: number,
) => ({ ref, account_number, account_type, balance_cents, status: active })

const card = (card_number: string, pin: string, ref: string) => ({
  card_number,
  pin,
  account: ref,
  status: active,
})

/** Three people who go to the machine: as the contract's own product ships them. */
export const demoMachine: MachineSeed = {
  customers: [
    {
      customer: 'Alice Johnson',
      accounts: [
        account('alice_checking', '1000-0001-0001', 'CHECKING', 525_000),
        account('alice_savings', '1000-0001-0002', 'SAVINGS', 1_250_000),
      ],
      cards: [card('1000-0001-0001', '1234', 'alice_checking')],
    },
    {
      customer: 'Bob Williams',
      accounts: [account('bob_checking', '1000-0002-0001', 'CHECKING', 85_075)],
      cards: [card('1000-0002-0001', '5678', 'bob_checking')],
    },
    {
      customer: 'Charlie Davis',
      accounts: [
        account('charlie_checking', '1000-0003-0001', 'CHECKING', 0),
        account('charlie_savings', '1000-0003-0002', 'SAVINGS', 10_000),
      ],
      cards: [card('1000-0003-0001', '9012', 'charlie_checking')],
    },
  ],
}
