import { apiKeyBook } from './api_keys.ts'
import { assignmentBook } from './assignments.ts'
import { cardBook } from './cards.ts'
import { caseBook } from './cases.ts'
import { cashAdvanceBook } from './cash_advances.ts'
import { checkDepositBook } from './check_deposits.ts'
import { churnBook } from './churn/index.ts'
import { closureBook } from './closures.ts'
import { commissionBook } from './commissions.ts'
import { conversationBook } from './conversations.ts'
import { customerBook } from './customers.ts'
import { eventIndexBook } from './event_index.ts'
import { exportBook } from './exports.ts'
import { holidayBook } from './holidays.ts'
import { interestBook } from './interest.ts'
import type { Projection } from './kernel.ts'
import { labelBook } from './labels.ts'
import { accountBook, holdBook, journal, periodBook, screenedTransferBook } from './ledger/index.ts'
import { loanBook } from './loans/index.ts'
import { modelBook } from './models.ts'
import { openingBook } from './openings.ts'
import { outboxBook } from './outbox.ts'
import { paymentBook } from './payments.ts'
import { policyBook } from './policies.ts'
import { preferenceBook } from './preferences.ts'
import { refundBook } from './refunds.ts'
import { scoreBook } from './risk.ts'
import { securityBook } from './security_log.ts'
import { sessionBook } from './sessions.ts'
import { standingOrderBook } from './standing_orders.ts'
import { statementBook } from './statements.ts'
import { taskBook } from './tasks.ts'
import { tillBook } from './tills.ts'
import { userBook } from './users.ts'
import { visitBook } from './visits.ts'

/** Every read model. A new one is built from the whole log at the next start. */
export const projections: readonly Projection[] = [
  accountBook,
  journal,
  holdBook,
  periodBook,
  screenedTransferBook,
  scoreBook,
  caseBook,
  labelBook,
  userBook,
  assignmentBook,
  visitBook,
  tillBook,
  commissionBook,
  sessionBook,
  apiKeyBook,
  exportBook,
  customerBook,
  cardBook,
  statementBook,
  churnBook,
  modelBook,
  outboxBook,
  conversationBook,
  preferenceBook,
  paymentBook,
  openingBook,
  closureBook,
  loanBook,
  standingOrderBook,
  interestBook,
  policyBook,
  refundBook,
  cashAdvanceBook,
  checkDepositBook,
  taskBook,
  holidayBook.projection,
  eventIndexBook,
  securityBook,
]
