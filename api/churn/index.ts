import type { Contract } from '../contract.ts'
import { authRoutes } from './auth.ts'
import { customerRoutes, removalRoutes } from './customers.ts'
import { churnDialect } from './dialect.ts'
import { modelRoutes } from './models.ts'
import { monitoringRoutes } from './monitoring.ts'
import { predictionRoutes } from './predictions.ts'

/** The churn product's API. Its examples work one after another, behind the native ones. */
export const churn: Contract = {
  dialect: churnDialect,
  routes: [
    ...authRoutes,
    ...customerRoutes,
    ...predictionRoutes,
    ...monitoringRoutes,
    ...modelRoutes,
    ...removalRoutes,
  ],
}
