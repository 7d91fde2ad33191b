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

const WRITTEN = { year: 'numeric', month: 'short', day: 'numeric', timeZone: 'UTC' } as const

/** `dayText('2026-02-01')` is `Feb 1, 2026`. */
export const dayText = (day: string): string => new Date(day).toLocaleDateString('en-US', WRITTEN)

/** `Jan 1, 2026 - Jan 31, 2026`: how statements write their period. */
export const periodText = ({ from, to }: { readonly from: string; readonly to: string }): string =>
  `${dayText(from)} - ${dayText(to)}`

/** The day so many days after another; before it when negative. */
export const dayAfter = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

/** The last day of the month that a day is in. */
export const lastOfMonth = (day: string): string => dayInMonth(day, 0, 31)

/** A day of the month so many months later; in a shorter one its last day. */
export const dayInMonth = (day: string, months: number, dayOfMonth: number): string => {
  const [year = 0, month = 0] = day.split('-').map(Number)
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  const found = Date.UTC(year, month - 1 + months, Math.min(dayOfMonth, last))
  return new Date(found).toISOString().slice(0, 10)
}
