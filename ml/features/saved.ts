import type { Kept } from './kept.ts'
import type { Customer, FeatureState, Labelled, Place } from './state.ts'

type SavedCustomer = Omit<Customer, 'payees' | 'devices'> & {
  readonly payees: readonly string[]
  readonly devices: readonly string[]
}
type SavedPlace = Omit<Place, 'payers'> & {
  readonly payers: readonly (readonly [string, number])[]
}
type SavedKept<Saved> = {
  readonly limit: number
  readonly young: readonly (readonly [string, Saved])[]
  readonly old: readonly (readonly [string, Saved])[]
}

/** A state as a JSON value. */
export type SavedState = {
  readonly customers: SavedKept<SavedCustomer>
  readonly payees: SavedKept<SavedPlace>
  readonly terminals: SavedKept<SavedPlace>
  readonly labelled: SavedKept<Labelled>
}

const mapKept = <From, To>(
  {
    limit,
    young,
    old,
  }: { limit: number; young: Iterable<readonly [string, From]> } & {
    old: Iterable<readonly [string, From]>
  },
  change: (value: From) => To,
) => {
  const changed = (entries: Iterable<readonly [string, From]>): [string, To][] =>
    Array.from(entries, ([key, value]) => [key, change(value)])
  return { limit, young: changed(young), old: changed(old) }
}

const loadKept = <Saved, Value>(
  saved: SavedKept<Saved>,
  change: (saved: Saved) => Value,
): Kept<Value> => {
  const { limit, young, old } = mapKept(saved, change)
  return { limit, young: new Map(young), old: new Map(old) }
}

const saveCustomer = ({ payees, devices, ...rest }: Customer): SavedCustomer => ({
  ...rest,
  times: [...rest.times],
  amounts: [...rest.amounts],
  days: [...rest.days],
  payees: [...payees],
  devices: [...devices],
})

const loadCustomer = ({ payees, devices, ...rest }: SavedCustomer): Customer => ({
  ...rest,
  times: [...rest.times],
  amounts: [...rest.amounts],
  days: [...rest.days],
  payees: new Set(payees),
  devices: new Set(devices),
})

const savePlace = ({ days, payers, ...rest }: Place): SavedPlace => ({
  ...rest,
  days: [...days],
  payers: [...payers],
})

const loadPlace = ({ days, payers, ...rest }: SavedPlace): Place => ({
  ...rest,
  days: [...days],
  payers: new Map(payers),
})

// Never changed in place, so it can be shared.
const same = (known: Labelled): Labelled => known

export const saveState = (state: FeatureState): SavedState => ({
  customers: mapKept(state.customers, saveCustomer),
  payees: mapKept(state.payees, savePlace),
  terminals: mapKept(state.terminals, savePlace),
  labelled: mapKept(state.labelled, same),
})

export const loadState = (saved: SavedState): FeatureState => ({
  customers: loadKept(saved.customers, loadCustomer),
  payees: loadKept(saved.payees, loadPlace),
  terminals: loadKept(saved.terminals, loadPlace),
  labelled: loadKept(saved.labelled, same),
})
