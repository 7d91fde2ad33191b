const formatters = new Map<string, Intl.DateTimeFormat>()

const formatterFor = (timeZone: string): Intl.DateTimeFormat => {
  let formatter = formatters.get(timeZone)
  if (!formatter) {
    // en-CA writes dates as YYYY-MM-DD.
    formatter = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
    formatters.set(timeZone, formatter)
  }
  return formatter
}

/** The calendar day (YYYY-MM-DD) on which an instant falls in a time zone. */
export const dayOf = (instant: string, timeZone: string): string =>
  timeZone === 'UTC' ? instant.slice(0, 10) : formatterFor(timeZone).format(new Date(instant))

/** True for the IANA names this runtime knows. */
export const isTimeZone = (name: string): boolean => {
  try {
    return formatterFor(name) !== undefined
  } catch {
    return false
  }
}

/** Whole days from one calendar day to another; negative when the second is earlier. */
export const daysBetween = (from: string, to: string): number =>
  (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000
