import { pino } from 'pino'
import { describe } from 'vitest'
import { openKafkaBus } from '../../infra/bus/kafka.ts'
import { busContract } from '../bus-contract.ts'

const brokers = process.env.KAFKA_BROKERS
const log = pino({ level: 'silent' })
const retries = { attempts: 3, delay_ms: 1, maximumDelay_ms: 2 }

describe.skipIf(!brokers)('npm run test:kafka', { timeout: 60_000 }, () => {
  busContract('the bus over Kafka', async () => ({
    open: async () =>
      openKafkaBus({ brokers: brokers?.split(',') ?? [], log, retries, partitions: 4 }),
  }))
})
