import type { Contract } from '../contract.ts'
import { accountRoutes } from './accounts.ts'
import { authRoutes } from './auth.ts'
import { atmDialect } from './dialect.ts'
import { healthRoutes } from './health.ts'
import { statementRoutes } from './statements.ts'
import { transactionRoutes } from './transactions.ts'

/** The cash machine's API. Its examples work one after another, behind the native ones. */
export const atm: Contract = {
  dialect: atmDialect,
  routes: [
    ...healthRoutes,
    ...authRoutes,
    ...accountRoutes,
    ...transactionRoutes,
    ...statementRoutes,
  ],
}
