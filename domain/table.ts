/**
 * A map that can be taken back to an earlier moment. State that is too large to copy (a book with a
 * million accounts) is changed in place; when an append is lost to another writer, what was decided
 * on top of it is undone. Values are never changed in place, only replaced.
 */
export type Table<Value> = {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
}

export type StoredTable<Value> = Table<Value> & {
  readonly rows: ReadonlyMap<string, Value>
  /** Starts to remember; returns the way back and the way to forget. One at a time. */
  savepoint(): Savepoint
}

export type Savepoint = { readonly rollback: () => void; readonly keep: () => void }

export const createTable = <Value>(initial?: Iterable<[string, Value]>): StoredTable<Value> => {
  const rows = new Map<string, Value>(initial)
  let before: Map<string, Value | undefined> | undefined

  const remember = (key: string): void => {
    if (before && !before.has(key)) before.set(key, rows.get(key))
  }
  return {
    rows,
    get: (key) => rows.get(key),
    set: (key, value) => {
      remember(key)
      rows.set(key, value)
    },
    delete: (key) => {
      remember(key)
      rows.delete(key)
    },
    savepoint: () => {
      if (before) throw new Error('a savepoint is open already')
      const changed = new Map<string, Value | undefined>()
      before = changed
      const end = (): void => {
        if (before !== changed) throw new Error('the savepoint has ended already')
        before = undefined
      }
      return {
        keep: end,
        rollback: () => {
          end()
          for (const [key, value] of changed) {
            if (value === undefined) rows.delete(key)
            else rows.set(key, value)
          }
        },
      }
    },
  }
}

/** Several savepoints as one. */
export const joinSavepoints = (savepoints: readonly Savepoint[]): Savepoint => ({
  keep: () => {
    for (const savepoint of savepoints) savepoint.keep()
  },
  rollback: () => {
    for (const savepoint of savepoints) savepoint.rollback()
  },
})

/** A scratch layer: reads fall through, writes stay on top. For trying things out in `decide`. */
export const layOver = <Value>(below: Table<Value>): Table<Value> => {
  const above = new Map<string, Value | undefined>()
  return {
    get: (key) => (above.has(key) ? above.get(key) : below.get(key)),
    set: (key, value) => void above.set(key, value),
    delete: (key) => void above.set(key, undefined),
  }
}
