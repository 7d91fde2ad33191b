import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/kafka/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two at a time: many of them start a Postgres and an event store of their own.
    maxWorkers: 2,
    pool: 'forks',
  },
})
