/**
 * Values by key, bounded in number: two generations, so that forgetting costs nothing. Whatever is
 * used is young; when half the limit is young, the old are forgotten and the young grow old. So at
 * least the `limit / 2` keys used last are kept, and never more than `limit`.
 */
export type Kept<Value> = {
  readonly limit: number
  young: Map<string, Value>
  old: Map<string, Value>
}

export const keep = <Value>(limit: number): Kept<Value> => ({
  limit,
  young: new Map(),
  old: new Map(),
})

/** Looks without using: what is only looked at is forgotten as soon as before. */
export const look = <Value>(kept: Kept<Value>, key: string): Value | undefined =>
  kept.young.get(key) ?? kept.old.get(key)

export const put = <Value>(kept: Kept<Value>, key: string, value: Value): void => {
  kept.old.delete(key)
  kept.young.set(key, value)
  if (kept.young.size < Math.max(1, kept.limit / 2)) return
  kept.old = kept.young
  kept.young = new Map()
}

/** The value of a key, made when there is none, and used by this. */
export const use = <Value>(kept: Kept<Value>, key: string, make: () => Value): Value => {
  const young = kept.young.get(key)
  if (young !== undefined) return young
  const value = kept.old.get(key) ?? make()
  put(kept, key, value)
  return value
}
