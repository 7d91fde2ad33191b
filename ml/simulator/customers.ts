import { between, fork, index, normal, pick } from '../random.ts'

/** A customer of the simulated bank, with the codes of both accounts. */
export type Customer = {
  readonly id: string
  readonly name: string
  readonly accounts: { readonly checking: string; readonly savings: string }
}

/** How somebody lives: what is behind their traffic. Amounts in minor units. */
export type Person = Customer & {
  readonly salary: number
  readonly payday: number
  readonly rent: number
  readonly rent_day: number
  readonly bill: number
  readonly bill_day: number
  readonly basket: number
  readonly cards_per_day: number
  readonly transfers_per_day: number
  /** Share of card payments made between ten in the evening and five in the morning. */
  readonly night_share: number
  readonly saved_share: number
  readonly friends: readonly number[]
}

const FIRST_NAMES =
  'Ada Amara Ben Carla Chen Dario Elena Emeka Farid Grace Hana Ines Ivan Jonas Kemi Lena Lucia Malik Marta Mei Nadia Noah Olga Omar Paula Priya Rafael Rosa Samir Sofia Tariq Theo Uma Vera Wanjiru Yuki Zofia'.split(
    ' ',
  )
const LAST_NAMES =
  'Abara Almeida Bauer Berg Castillo Costa Diallo Dubois Eriksen Fischer Garcia Haddad Horvat Ito Jansen Kamau Keller Kim Kowalski Larsen Lopez Mbeki Moreau Nguyen Novak Okafor Olsen Patel Petrov Rossi Sato Silva Tanaka Toth Varga Weber Yilmaz Zhang'.split(
    ' ',
  )

const MOST_FRIENDS = 8

const person = (seed: number, position: number, population: number): Person => {
  const next = fork(seed, position)
  const id = String(1001 + position)
  const salary = Math.round(320_000 * Math.exp(0.45 * normal(next)))
  const friends = Array.from({ length: 3 + index(next, MOST_FRIENDS - 2) }, () =>
    index(next, population),
  )
  return {
    id,
    name: `${pick(next, FIRST_NAMES)} ${pick(next, LAST_NAMES)}`,
    accounts: { checking: `customers:${id}:checking`, savings: `customers:${id}:savings` },
    salary,
    payday: 1 + index(next, 28),
    rent: Math.round(salary * between(next, 0.2, 0.38)),
    rent_day: 1 + index(next, 5),
    bill: Math.round(between(next, 4_000, 16_000)),
    bill_day: 6 + index(next, 20),
    basket: Math.round(2_800 * Math.exp(0.35 * normal(next))),
    cards_per_day: between(next, 0.25, 1.15),
    transfers_per_day: between(next, 0.03, 0.16),
    night_share: next() < 0.2 ? between(next, 0.1, 0.35) : 0.02,
    saved_share: next() < 0.6 ? between(next, 0.03, 0.12) : 0,
    friends: friends.filter((friend) => friend !== position),
  }
}

export const people = (seed: number, population: number): Person[] =>
  Array.from({ length: population }, (_, position) => person(seed, position, population))
