import { ApiKey } from './api_keys.ts'
import { Assignment } from './assignments.ts'
import { CardSession } from './card_sessions.ts'
import { Card } from './cards.ts'
import { Case } from './cases.ts'
import { CashAdvance } from './cash_advances.ts'
import { CheckDeposit } from './check_deposits.ts'
import { Churn } from './churn.ts'
import { ChurnAlertSettings } from './churn_alerts.ts'
import { Closure } from './closures.ts'
import { Commission, CommissionPayout } from './commissions.ts'
import { Conversation } from './conversations.ts'
import { Customer } from './customers.ts'
import { Email } from './emails.ts'
import { Export } from './exports.ts'
import { Holidays } from './holidays.ts'
import { Interest } from './interest.ts'
import type { Decider, EventSchemas } from './kernel.ts'
import { Labels } from './labels.ts'
import { Ledger } from './ledger/index.ts'
import { Loan } from './loans/index.ts'
import { Models } from './models.ts'
import { OneTimeCode } from './one_time_codes.ts'
import { Opening } from './openings.ts'
import { OutboxMessage } from './outbox.ts'
import { Payment } from './payments.ts'
import { Policies } from './policies.ts'
import { UserPreferences } from './preferences.ts'
import { Refund } from './refunds.ts'
import { deciderOf, type Registry } from './registry.ts'
import { riskEvents } from './risk.ts'
import { Sequence } from './sequences.ts'
import { Session } from './sessions.ts'
import { StandingOrder } from './standing_orders.ts'
import { Statement } from './statements.ts'
import { Task } from './tasks.ts'
import { Till } from './tills.ts'
import { Username } from './usernames.ts'
import { User } from './users.ts'
import { Visit } from './visits.ts'

/** Every plain catalogue. */
export const registries: readonly Registry[] = [Holidays]

/** Every kind of stream that decides for itself. */
export const modules: readonly Decider[] = [
  Ledger,
  User,
  Username,
  Assignment,
  Visit,
  Till,
  Commission,
  CommissionPayout,
  Session,
  ApiKey,
  Export,
  Customer,
  Card,
  CardSession,
  Statement,
  Sequence,
  Email,
  Churn,
  ChurnAlertSettings,
  Models,
  Payment,
  Opening,
  Closure,
  Loan,
  StandingOrder,
  Interest,
  Policies,
  Refund,
  CashAdvance,
  CheckDeposit,
  Task,
  Case,
  Labels,
  OutboxMessage,
  OneTimeCode,
  Conversation,
  UserPreferences,
  ...registries.map(deciderOf),
]

/** Event type -> schema, of everything that can lie in the log. */
export const eventSchemas: EventSchemas = Object.assign(
  {},
  ...modules.map(({ schemas }) => schemas),
  riskEvents,
)
