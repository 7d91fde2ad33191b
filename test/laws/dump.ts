/** A state as text: the same text, the same state. Tables in the order of their keys. */
export const dump = (state: unknown): string => JSON.stringify(plain(state))

const plain = (value: unknown): unknown => {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Map) {
    return [...value].map(([key, inner]) => [key, plain(inner)]).sort(byKey)
  }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if ('rows' in value) return plain(value.rows)
  return Object.entries(value)
    .map(([key, inner]) => [key, plain(inner)])
    .sort(byKey)
}

const byKey = ([a]: unknown[], [b]: unknown[]): number => (String(a) < String(b) ? -1 : 1)
