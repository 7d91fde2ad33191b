import { atm } from './atm/index.ts'
import { churn } from './churn/index.ts'
import { coastal } from './coastal/index.ts'
import type { Contract } from './contract.ts'
import { accountRoutes, closingRoutes } from './native/accounts.ts'
import { assignmentRoutes } from './native/assignments.ts'
import { batchRoutes } from './native/batches.ts'
import { bookRoutes } from './native/books.ts'
import { cardRoutes } from './native/cards.ts'
import { caseRoutes } from './native/cases.ts'
import { churnRoutes } from './native/churn.ts'
import { commissionRoutes } from './native/commissions.ts'
import { complianceRoutes } from './native/compliance.ts'
import { customerRoutes } from './native/customers.ts'
import { depositRoutes } from './native/deposits.ts'
import { nativeDialect } from './native/dialect.ts'
import { entryRoutes } from './native/entries.ts'
import { eventRoutes } from './native/events.ts'
import { holdRoutes } from './native/holds.ts'
import { holidayRoutes } from './native/holidays.ts'
import { interestRoutes } from './native/interest.ts'
import { laboratoryRoutes } from './native/laboratory.ts'
import { loanRoutes } from './native/loans.ts'
import { installRoutes, machineRoutes } from './native/machines.ts'
import { modelRoutes } from './native/models.ts'
import { outboxRoutes } from './native/outbox.ts'
import { paymentRoutes } from './native/payments.ts'
import { apiKeyRoutes, tokenRoutes, userRoutes } from './native/people.ts'
import { periodRoutes } from './native/periods.ts'
import { policyRoutes } from './native/policies.ts'
import { projectionRoutes } from './native/projections.ts'
import { riskRoutes } from './native/risk.ts'
import { standingOrderRoutes } from './native/standing_orders.ts'
import { statementRoutes } from './native/statements.ts'
import { tillRoutes } from './native/tills.ts'
import { heldRoutes, transferRoutes } from './native/transfers.ts'
import type { Route } from './route.ts'

/** Every route of the native API. Their examples work one after another on an empty system. */
export const nativeRoutes: readonly Route[] = [
  ...bookRoutes,
  ...accountRoutes,
  ...transferRoutes,
  ...entryRoutes,
  ...holdRoutes,
  ...batchRoutes,
  ...periodRoutes,
  ...eventRoutes,
  ...riskRoutes,
  ...caseRoutes,
  ...policyRoutes,
  ...heldRoutes,
  ...laboratoryRoutes,
  ...projectionRoutes,
  ...closingRoutes,
  ...complianceRoutes,
  ...holidayRoutes,
  ...customerRoutes,
  ...installRoutes,
  ...depositRoutes,
  ...paymentRoutes,
  ...tillRoutes,
  ...loanRoutes,
  ...standingOrderRoutes,
  ...interestRoutes,
  ...statementRoutes,
  ...machineRoutes,
  ...cardRoutes,
  ...churnRoutes,
  ...userRoutes,
  ...assignmentRoutes,
  ...commissionRoutes,
  ...tokenRoutes,
  ...apiKeyRoutes,
]

/** Everything that is served: the native API, and the other products' contracts. */
export const contracts: readonly Contract[] = [
  { dialect: nativeDialect, routes: nativeRoutes },
  atm,
  churn,
  coastal,
  { dialect: nativeDialect, routes: [...modelRoutes, ...outboxRoutes] },
]
