import { z } from '@hono/zod-openapi'
import { route } from '../contract.ts'
import type { Route } from '../route.ts'
import { atmDialect } from './dialect.ts'

export const healthRoutes: readonly Route[] = [
  route('get', '/health', 'public', {
    tag: 'Health',
    summary: 'Say whether it works',
    input: z.object({}),
    response: z.object({ status: z.string(), version: z.string(), database: z.string() }),
    example: {},
    run: async ({ services }) => {
      const { version } = atmDialect
      const check = services.checks.postgres
      const works = check
        ? await check().then(
            () => true,
            () => false,
          )
        : false
      return works
        ? { body: { status: 'healthy', version, database: 'connected' } }
        : { status: 503, body: { status: 'unhealthy', version, database: 'disconnected' } }
    },
  }),
]
