import type { Reach } from '../domain/permissions.ts'
import type { Asker } from './kernel.ts'
import type { Conditions } from './select.ts'

/** Whose things an asker may see: a condition on a column that says whose they are. */
const owners: Readonly<Record<Exclude<Reach, 'all'>, (column: string) => string>> = {
  own: (column) => `${column} = ?`,
  // As an array, which an index on the column can look for.
  assigned: (column) =>
    `${column} = ? or ${column} = any(array(select client from assignments where banker = ?))`,
}

/** Narrows to what belongs, by one of the columns, to somebody whom the asker reaches. */
export const onlyReached = (
  where: Conditions,
  { reach, id }: Asker,
  ...columns: readonly string[]
): void => {
  if (reach === 'all') return
  const condition = columns.map(owners[reach]).join(' or ')
  where.add(condition, ...(condition.match(/\?/g) ?? []).map(() => id))
}
