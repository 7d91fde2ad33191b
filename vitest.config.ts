import { defineConfig } from 'vitest/config'

// Without a broker there is nothing to test there: `npm run test:kafka` starts one.
const withoutBroker = process.env.KAFKA_BROKERS ? [] : ['**/kafka/**']

export default defineConfig({
  test: {
    dir: 'test',
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', ...withoutBroker],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two at a time: many of them start a Postgres and an event store of their own.
    maxWorkers: 2,
    pool: 'forks',
  },
})
