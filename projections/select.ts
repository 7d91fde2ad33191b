/** Builds the variable part of a select: conditions whose values never meet the SQL text. */
export type Conditions = {
  readonly values: unknown[]
  /** Adds a condition in which each `?` stands for one of the values. */
  add(condition: string, ...values: readonly unknown[]): void
  /** As `add`, unless the first value is undefined. */
  addIf(condition: string, value: unknown): void
  /** ` where ...`, or nothing. */
  where(): string
  /** Adds a value on its own and gives its placeholder. */
  value(value: unknown): string
}

export const conditions = (): Conditions => {
  const values: unknown[] = []
  const terms: string[] = []
  const value = (one: unknown): string => `$${values.push(one)}`
  const add = (condition: string, ...given: readonly unknown[]): void => {
    let next = 0
    terms.push(
      condition.replace(/\?/g, () => {
        next += 1
        return value(given[next - 1])
      }),
    )
  }
  return {
    values,
    value,
    add,
    addIf: (condition, one) => {
      if (one !== undefined) add(condition, one)
    },
    where: () =>
      terms.length > 0 ? ` where ${terms.map((term) => `(${term})`).join(' and ')}` : '',
  }
}

/** Text in which `like` finds no wildcards. */
export const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&')
