import { accountRoutes, closingRoutes } from './native/accounts.ts'
import { batchRoutes } from './native/batches.ts'
import { bookRoutes } from './native/books.ts'
import { complianceRoutes } from './native/compliance.ts'
import { entryRoutes } from './native/entries.ts'
import { eventRoutes } from './native/events.ts'
import { holdRoutes } from './native/holds.ts'
import { holidayRoutes } from './native/holidays.ts'
import { apiKeyRoutes, tokenRoutes, userRoutes } from './native/people.ts'
import { periodRoutes } from './native/periods.ts'
import { projectionRoutes } from './native/projections.ts'
import { riskRoutes } from './native/risk.ts'
import type { Route } from './route.ts'

/** Every route of the native API. Their examples work one after another on an empty system. */
export const nativeRoutes: readonly Route[] = [
  ...bookRoutes,
  ...accountRoutes,
  ...entryRoutes,
  ...holdRoutes,
  ...batchRoutes,
  ...periodRoutes,
  ...eventRoutes,
  ...riskRoutes,
  ...projectionRoutes,
  ...closingRoutes,
  ...complianceRoutes,
  ...holidayRoutes,
  ...userRoutes,
  ...tokenRoutes,
  ...apiKeyRoutes,
]
