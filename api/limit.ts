import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export type Allowance = {
  readonly allowed: boolean
  readonly headers: Readonly<Record<string, string>>
}

export type Limiter = (client: string) => Promise<Allowance>

const WINDOW_SECONDS = 60

/** At most `requests` a minute for each client; 0 switches it off. */
export const createLimiter = (requests: number): Limiter => {
  if (requests === 0) return async () => ({ allowed: true, headers: {} })
  const limiter = new RateLimiterMemory({ points: requests, duration: WINDOW_SECONDS })
  const headersOf = ({ remainingPoints, msBeforeNext }: RateLimiterRes) => ({
    'RateLimit-Limit': String(requests),
    'RateLimit-Remaining': String(Math.max(0, remainingPoints)),
    'RateLimit-Reset': String(Math.ceil(msBeforeNext / 1000)),
  })
  return async (client) => {
    try {
      return { allowed: true, headers: headersOf(await limiter.consume(client)) }
    } catch (rejected) {
      if (!(rejected instanceof RateLimiterRes)) throw rejected
      const headers = headersOf(rejected)
      return { allowed: false, headers: { ...headers, 'Retry-After': headers['RateLimit-Reset'] } }
    }
  }
}
