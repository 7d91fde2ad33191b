/**
 * Sums per UTC day over the 30 days up to the newest one seen: one day after another, each as its
 * number since the epoch followed by its sums. A plain list, so that it is saved as it is and an
 * account used twice a month takes the room of two days.
 */
export type Days = number[]

export const DAY_MS = 86_400_000
const MOST_DAYS = 30

export const dayOf = (at_ms: number): number => Math.floor(at_ms / DAY_MS)

/**
 * Where the sums of a day begin, made when there are none; `width` is one more than their number.
 * -1 when the day lies 30 days or more before the newest: it is forgotten already.
 */
export const sumsOf = (days: Days, width: number, day: number): number => {
  let place = days.length - width
  while (place >= 0 && (days[place] as number) > day) place -= width
  if (place >= 0 && days[place] === day) return place + 1
  const newest = days.length > 0 ? (days[days.length - width] as number) : day
  if (day <= newest - MOST_DAYS) return -1
  place += width
  days.splice(place, 0, day, ...new Array<number>(width - 1).fill(0))
  let gone = 0
  while ((days[gone] as number) <= day - MOST_DAYS) gone += width
  if (gone > 0) days.splice(0, gone)
  return place - gone + 1
}

/** Calls back with where the sums begin of each day of a window that ends with `today`. */
export const eachDay = (
  days: Days,
  width: number,
  today: number,
  window: number,
  look: (days: Days, place: number) => void,
): void => {
  for (let place = days.length - width; place >= 0; place -= width) {
    const day = days[place] as number
    if (day <= today - window) return
    if (day <= today) look(days, place + 1)
  }
}
