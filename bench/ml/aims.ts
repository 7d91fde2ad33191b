/** A figure, what is aimed for, and whether more or less of it is better. */
export type Figure = {
  readonly name: string
  readonly value: number
  readonly unit?: string
  readonly aim?: { readonly value: number; readonly better: 'more' | 'less' }
  readonly note?: string
}

const digits = (value: number): string =>
  Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(4)

const verdictOf = (value: number, aim: Figure['aim']): string => {
  if (!aim) return ''
  const { value: wanted, better } = aim
  const met = better === 'more' ? value >= wanted : value <= wanted
  return `${met ? 'PASS' : 'miss'}  at ${better === 'more' ? 'least' : 'most'} ${wanted}`
}

export const isMissed = ({ value, aim }: Figure): boolean =>
  verdictOf(value, aim).startsWith('miss')

export const format = ({ name, value, unit = '', aim, note = '' }: Figure): string =>
  [`  ${name.padEnd(44)}`, digits(value).padStart(10), unit.padEnd(5), verdictOf(value, aim), note]
    .join('  ')
    .trimEnd()
