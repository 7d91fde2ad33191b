/** A thread that carries the log to the bus and scores what arrives there. */
import { join } from 'node:path'
import { createEngine } from '../../commands/engine.ts'
import { Policies } from '../../domain/policies.ts'
import { FEATURE_NAMES } from '../../ml/features.ts'
import { SHIPPED_MODEL } from '../../ml/model.ts'
import { createScorer } from '../../ml/scorer.ts'
import { openEmbeddedBus } from '../bus/embedded.ts'
import { eventsOf } from '../bus/envelope.ts'
import { openKafkaBus } from '../bus/kafka.ts'
import type { Bus, RelayTarget } from '../bus/port.ts'
import { ledgerTopic, relayTarget, runRelay, type TopicTable, topicTable } from '../bus/relay.ts'
import { clockFrom } from '../clock.ts'
import { connectEventStore } from '../eventstore/client.ts'
import { createGlance } from '../glance.ts'
import type { Log } from '../log.ts'
import { openArtefacts } from '../models/artefacts.ts'
import { createPanel } from '../models/panel.ts'
import { relayCheckpoints } from '../postgres/checkpoints.ts'
import { connectPostgres } from '../postgres/pool.ts'
import { createSnapshots } from '../postgres/snapshots.ts'
import { playRole, type RoleSettings } from './role.ts'

const SCORED_AT_ONCE = 256
const PARTITIONS = 4

const openBus = async (
  { kafkaBrokers, busFile }: RoleSettings,
  database: Parameters<typeof relayCheckpoints>[0],
  log: Log,
): Promise<{ bus: Bus; target: RelayTarget; topics: TopicTable }> => {
  if (kafkaBrokers.length > 0) {
    const bus = openKafkaBus({ brokers: [...kafkaBrokers], log, partitions: PARTITIONS })
    const target = relayTarget(bus, await relayCheckpoints(database, 'relay'))
    return { bus, target, topics: topicTable }
  }
  const bus = openEmbeddedBus({ file: busFile, log })
  return { bus, target: bus.relayTarget('relay'), topics: ledgerTopic }
}

await playRole(async (settings, { log, signal, ready }) => {
  const database = await connectPostgres({
    url: settings.databaseUrl,
    name: 'daybook score',
    max: 2,
  })
  const store = connectEventStore({ url: settings.eventStoreUrl })
  const { bus, target, topics } = await openBus(settings, database, log)
  const snapshots = await createSnapshots(database)
  const clock = clockFrom(settings.clock)
  const engine = createEngine(store, snapshots)
  const glance = createGlance(engine)
  const artefacts = openArtefacts(join(settings.directory, 'models'))
  const models = createPanel({
    ...{ family: 'fraud', features: FEATURE_NAMES, shipped: SHIPPED_MODEL },
    ...{ engine, glance, artefacts, clock, log, threshold: settings.alertThreshold },
  })
  const scorer = createScorer({
    ...{ store, snapshots, clock, log },
    withPanel: models.withPanel,
    policyOf: async (book) => {
      const { state: policy, revision } = await glance(Policies, book)
      return { policy, revision }
    },
  })
  try {
    // The consumer first: the bus keeps what a group it knows has not yet read.
    const scoring = settings.score
      ? bus.consume({
          group: 'scorer',
          topic: 'daybook.ledger',
          fromBeginning: true,
          maxBatch: SCORED_AT_ONCE,
          signal,
          handle: (messages) => scorer.handle(eventsOf(messages)),
        })
      : undefined
    const relaying = settings.relay ? runRelay({ store, target, topics, signal, log }) : undefined
    ready()
    await Promise.all([scoring, relaying])
    await scorer.drain()
  } finally {
    await bus.close()
    await models.close()
    await Promise.all([store.close(), database.end()])
  }
})
