import { ApiKey } from './api_keys.ts'
import type { Decider, EventSchemas } from './kernel.ts'
import { Ledger } from './ledger/index.ts'
import { riskEvents } from './risk.ts'
import { Session } from './sessions.ts'
import { Username } from './usernames.ts'
import { User } from './users.ts'

/** Every kind of stream that decides for itself. A new module adds its decider here. */
export const modules: readonly Decider[] = [Ledger, User, Username, Session, ApiKey]

/** Event type -> schema, of everything that can lie in the log. */
export const eventSchemas: EventSchemas = Object.assign(
  {},
  ...modules.map(({ schemas }) => schemas),
  riskEvents,
)
