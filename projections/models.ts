import { z } from 'zod'
import { ModelFamily, type ModelMetrics, modelEvents } from '../domain/models.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { conditions } from './select.ts'
import type { Table } from './table.ts'

const models: Table = {
  name: 'models',
  columns: {
    family: 'text',
    version: 'text',
    sha256: 'text',
    bytes: 'bigint',
    metrics: 'jsonb',
    importances: 'jsonb',
    source: 'text',
    trained_at: 'timestamptz',
  },
  key: ['family', 'version'],
}

const champions: Table = {
  name: 'champions',
  columns: { family: 'text', version: 'text', reason: 'text', since: 'timestamptz' },
  key: ['family'],
}

const challengers: Table = {
  name: 'challengers',
  columns: { family: 'text', version: 'text', since: 'timestamptz' },
  key: ['family', 'version'],
}

export const modelBook = projection({
  name: 'models',
  version: 1,
  tables: [models, champions, challengers],
  schemas: modelEvents,
  on: {
    ModelTrained: ({ data }, rows) => rows.put(models, data),
    ModelChallenged: ({ data: { family, version, challenged_at } }, rows) =>
      rows.put(challengers, { family, version, since: challenged_at }),
    ChallengeEnded: ({ data: { family, version } }, rows) =>
      rows.remove(challengers, { family, version }),
    ModelPromoted: ({ data: { family, version, reason, promoted_at } }, rows) => {
      rows.put(champions, { family, version, reason, since: promoted_at })
      rows.remove(challengers, { family, version })
    },
    ModelRolledBack: ({ data: { family, version, reason, rolled_back_at } }, rows) =>
      rows.put(champions, { family, version, reason, since: rolled_back_at }),
  },
})

export type ModelView = {
  family: ModelFamily
  version: string
  status: 'champion' | 'challenger' | 'idle'
  sha256: string
  bytes: number
  metrics: ModelMetrics
  importances: Record<string, number>
  source: string
  trained_at: Date
}

/** In the order of their versions. */
export const listModels = query({
  name: 'models.list',
  permission: 'risk:read',
  input: z.strictObject({ family: ModelFamily.optional(), ...paging }),
  reads: ['models'],
  run: async (sql, { family, cursor, limit }) => {
    const where = conditions()
    where.addIf('m.family = ?', family)
    const after = decodeCursor(cursor, 2)
    if (after) where.add('(m.family, m.version) > (?, ?)', ...after)
    const { rows } = await sql.query<ModelView>(
      `select m.family, m.version, m.sha256, m.bytes, m.metrics, m.importances, m.source,
         m.trained_at, case when c.version is not null then 'champion'
           when h.version is not null then 'challenger' else 'idle' end as status
       from models m left join champions c on c.family = m.family and c.version = m.version
         left join challengers h on h.family = m.family and h.version = m.version
       ${where.where()} order by m.family, m.version limit ${limit + 1}`,
      where.values,
    )
    const views = rows.map((row) => ({ ...row, bytes: Number(row.bytes) }))
    return pageOf(views, limit, ({ family: of, version }) => [of, version])
  },
})
