import type { Contract } from '../contract.ts'
import { accountRoutes } from './accounts.ts'
import { auditRoutes } from './audit.ts'
import { authRoutes, logOutRoutes } from './auth.ts'
import { calculatorRoutes } from './calculators.ts'
import { cashAdvanceRoutes } from './cash_advances.ts'
import { chatRoutes } from './chat.ts'
import { checkDepositRoutes } from './check_deposits.ts'
import { closureRoutes } from './closures.ts'
import { dashboardRoutes } from './dashboards.ts'
import { coastalDialect } from './dialect.ts'
import { fraudRoutes } from './fraud.ts'
import { loanRoutes } from './loans.ts'
import { messageRoutes } from './messages.ts'
import { openingRoutes } from './openings.ts'
import { operationRoutes } from './operations.ts'
import { preferenceRoutes } from './preferences.ts'
import { refundRoutes } from './refunds.ts'
import { transactionRoutes } from './transactions.ts'
import { registrationRoutes, userRoutes } from './users.ts'

/** The bank's API. Its examples work one after another, behind the native ones. */
export const coastal: Contract = {
  dialect: coastalDialect,
  routes: [
    ...registrationRoutes,
    ...authRoutes,
    ...userRoutes,
    ...accountRoutes,
    ...transactionRoutes,
    ...openingRoutes,
    ...closureRoutes,
    ...loanRoutes,
    ...refundRoutes,
    ...cashAdvanceRoutes,
    ...checkDepositRoutes,
    ...fraudRoutes,
    ...chatRoutes,
    ...messageRoutes,
    ...preferenceRoutes,
    ...calculatorRoutes,
    ...operationRoutes,
    ...dashboardRoutes,
    ...auditRoutes,
    ...logOutRoutes,
  ],
}
