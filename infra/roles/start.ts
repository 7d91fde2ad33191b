import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Parts } from '../parts.ts'
import type { Checklist } from '../start/checklist.ts'
import { StartError } from '../start/error.ts'
import { type Role, type RoleSettings, startRole } from './role.ts'

const PROJECTOR = new URL('./projector.ts', import.meta.url)
const SCORER = new URL('./scorer.ts', import.meta.url)

const settingsOf = (config: Config, parts: Parts, clock: Clock): RoleSettings => {
  const { roles, kafkaBrokers } = config
  const relay = roles.has('relay')
  const score = roles.has('score')
  if (relay !== score && !kafkaBrokers) {
    const line = 'ROLES: relay and score share the embedded bus: name both, or set KAFKA_BROKERS.'
    throw new StartError(line)
  }
  return {
    relay,
    score,
    eventStoreUrl: parts.eventStoreUrl,
    databaseUrl: parts.databaseUrl,
    kafkaBrokers: kafkaBrokers ?? [],
    busFile: join(parts.directory.path, 'bus.db'),
    directory: parts.directory.path,
    alertThreshold: config.riskAlertThreshold,
    clock: clock.shared,
  }
}

export type RolesOptions = {
  readonly config: Config
  readonly parts: Parts
  readonly clock: Clock
  readonly log: Log
  readonly list: Checklist
}

/** Starts the background roles asked for, one after another, and adds each to `started`. */
export const startRoles = async (
  { config, parts, clock, log, list }: RolesOptions,
  started: Role[],
): Promise<void> => {
  const settings = settingsOf(config, parts, clock)
  // The projector first: it makes the tables that the others read.
  if (config.roles.has('project')) {
    await list.step('Read models', async () => {
      started.push(await startRole('projector', PROJECTOR, settings, log))
      return 'projector in its own thread'
    })
  }
  if (settings.relay || settings.score) {
    await list.step('Risk scorer', async () => {
      started.push(await startRole('scorer', SCORER, settings, log))
      const bus = config.kafkaBrokers?.join(', ') ?? 'the embedded bus'
      return `ONNX model in its own thread, fed by ${bus}`
    })
  }
}
