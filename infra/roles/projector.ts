/** A thread that keeps the read models up with the log. */
import { projections } from '../../projections/index.ts'
import { prepareProjections, runProjector } from '../../projections/runner.ts'
import { connectEventStore } from '../eventstore/client.ts'
import { connectPostgres } from '../postgres/pool.ts'
import { playRole } from './role.ts'

await playRole(async ({ eventStoreUrl, databaseUrl }, { log, signal, ready }) => {
  const database = await connectPostgres({
    url: databaseUrl,
    name: 'daybook project',
    max: 3,
    derived: true,
  })
  const store = connectEventStore({ url: eventStoreUrl })
  try {
    await prepareProjections(database, projections)
    ready()
    await runProjector({ store, database, projections, log, signal })
  } finally {
    await Promise.all([store.close(), database.end()])
  }
})
