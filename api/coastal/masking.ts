/**
 * How personal data looks to those who are below a manager: enough to tell that it is there, and
 * two persons apart, and no more. Every text is masked in some way; an empty one stays empty.
 */
const SHOWN_OF_ID = 4
const SHOWN_OF_PHONE = 3
const INCOME_STEP = 1000n

const stars = (text: string): string => '*'.repeat(text.length)

/** `GHA-123456789-0` as `GHA-*******89-0`: what kind it is, and the last four. */
const idNumber = (text: string): string => {
  const prefix = /^[A-Za-z]*-?/.exec(text)?.[0] ?? ''
  const hidden = text.length - prefix.length - SHOWN_OF_ID
  if (hidden <= 0) return stars(text)
  return prefix + '*'.repeat(hidden) + text.slice(-SHOWN_OF_ID)
}

/** `+233244123456` as `+233******456`; without a country code, only the last three. */
const phone = (text: string): string => {
  const code = /^\+\d{3}/.exec(text)?.[0] ?? ''
  const hidden = text.length - code.length - SHOWN_OF_PHONE
  if (hidden <= 0) return stars(text)
  return code + '*'.repeat(hidden) + text.slice(-SHOWN_OF_PHONE)
}

/** `1992-05-15` as `1992`. */
const birthDate = (text: string): string => /^\d{4}/.exec(text)?.[0] ?? stars(text)

/** `2750.00` as `2000-3000`. */
const income = (text: string): string => {
  const whole = /^\d+/.exec(text)?.[0]
  if (whole === undefined) return stars(text)
  const from = (BigInt(whole) / INCOME_STEP) * INCOME_STEP
  return `${from}-${from + INCOME_STEP}`
}

/** `Ama Mensah` as `A** M*****`. */
const name = (text: string): string =>
  text.replace(/(\S)(\S*)/g, (_all, first, rest) => first + stars(rest))

/** What has no form of its own: `12 Beach Road` as `XX XXXXX XXXX`. */
const text = (given: string): string => given.replace(/\S/g, 'X')

export const masks = { idNumber, phone, birthDate, income, name, text } as const
