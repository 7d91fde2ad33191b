/** At most so many requests in a window that begins with the first of them. */
export type Rate = { readonly requests: number; readonly seconds: number }

/** A rate with the name under which it is switched and counted. */
export type Scoped = Rate & { readonly scope: string }

/** A route's own limit: attempts at one card, predictions of one user. */
export type Throttled<Input = never> = Scoped & {
  /** What is counted apart, from the validated input, who asks, and from which address. */
  readonly key: (input: Input, who: { readonly id: string; readonly address: string }) => string
}

export type Throttle = {
  /** Counts a request. Undefined: it may go on; otherwise how many seconds are to be waited. */
  take(scope: string, key: string, rate: Rate, at: Date): number | undefined
  /** For tests: from now on only these scopes are limited, at these rates, and all count anew. */
  restrict(rates: ReadonlyMap<string, Rate>): void
}

type Window = { readonly until: number; count: number }

const MAX_WINDOWS = 100_000

/** Driven by the clock that is given with each request, and bounded: the oldest window goes first. */
export const createThrottle = (): Throttle => {
  const windows = new Map<string, Window>()
  let only: ReadonlyMap<string, Rate> | undefined

  const open = (name: string, until: number): Window => {
    const window = { until, count: 0 }
    windows.delete(name)
    windows.set(name, window)
    const [oldest] = windows.keys()
    if (windows.size > MAX_WINDOWS && oldest !== undefined) windows.delete(oldest)
    return window
  }
  return {
    take: (scope, key, declared, at) => {
      const rate = only ? only.get(scope) : declared
      if (!rate) return undefined
      const now = at.getTime()
      const name = `${scope} ${key}`
      const known = windows.get(name)
      const isOpen = known && now < known.until && now >= known.until - rate.seconds * 1000
      const window = isOpen ? known : open(name, now + rate.seconds * 1000)
      if (window.count >= rate.requests) return Math.ceil((window.until - now) / 1000)
      window.count += 1
      return undefined
    },
    restrict: (rates) => {
      only = rates
      windows.clear()
    },
  }
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const WRITTEN_RATE = /^(\d{1,6})\/([1-9]\d{0,3})?\s*(s|sec|m|min|h|hour|d|day)$/

/** `5/15min`, `100/h`: requests, a slash, how many seconds, minutes, hours or days. */
export const parseRate = (text: string): Rate | undefined => {
  const [, requests, count, unit = ''] = WRITTEN_RATE.exec(text) ?? []
  const seconds = units[unit.charAt(0)]
  if (requests === undefined || seconds === undefined) return undefined
  return { requests: Number(requests), seconds: Number(count ?? '1') * seconds }
}
