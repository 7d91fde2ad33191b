import { z } from '@hono/zod-openapi'
import {
  type AuditEvent,
  type AuditSummary,
  getAuditSummary,
  type SecurityEvent as SecurityEventView,
} from '../../projections/audit_queries.ts'
import { SecurityKind } from '../../projections/security_log.ts'
import { ask, route } from '../contract.ts'
import { instant } from '../formats.ts'
import { numberedPage, numberedPaging } from '../numbered_pages.ts'
import type { Call, Route } from '../route.ts'
import { ADMIN } from './accounts.ts'

const PAGE_SIZE = 20
const MOST = 100
const DAY_HOURS = 24
const MOST_HOURS = 168

const Asked = z.object({
  hours: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'hours are a whole number from 1 on')
    .transform(Number)
    .pipe(z.int().max(MOST_HOURS))
    .default(DAY_HOURS),
  ...numberedPaging(PAGE_SIZE, MOST),
})

const AuditLog = z
  .object({
    id: z.string().openapi({ description: 'where the event lies in the log' }),
    timestamp: z.string(),
    user: z.int().nullable(),
    username: z.string(),
    action: z.string().openapi({ example: 'PaymentApproved' }),
    resource: z.string().openapi({ example: 'payment-01KB0000000000000000000000' }),
    request_id: z.string().nullable(),
  })
  .openapi('CoastalAuditLog')

const SecurityEvent = AuditLog.omit({ request_id: true })
  .extend({ kind: SecurityKind })
  .openapi('CoastalSecurityEvent')

const Count = z.int().min(0)

const Dashboard = z
  .object({
    audit_logs: z.array(AuditLog),
    next: z.string().nullable(),
    previous: z.string().nullable(),
    summary: z.object({
      total_events: Count,
      complete: z.boolean().openapi({ description: 'false: only the newest 50,000 are counted' }),
      failed_logins: Count,
      locked_logins: Count,
      failed_codes: Count,
      logins: Count,
      staff_created: Count,
      role_changes: Count,
      users_disabled: Count,
      password_changes: Count,
      api_key_changes: Count,
      approvals: Count,
      rejections: Count,
    }),
    security_events: z
      .array(SecurityEvent)
      .openapi({ description: 'the newest 50 of what touches security' }),
    time_range_hours: z.int(),
    by_user: z.record(z.string(), Count),
    by_action: z.record(z.string(), Count),
  })
  .openapi('CoastalAuditDashboard')

const nameOf = ({ actor, user }: Pick<AuditEvent, 'actor' | 'user'>): string =>
  user?.username ?? actor ?? ''

const logOf = (event: AuditEvent): z.infer<typeof AuditLog> => ({
  id: event.position,
  timestamp: instant(event.recorded_at),
  user: event.user?.number ?? null,
  username: nameOf(event),
  action: event.type,
  resource: event.stream,
  request_id: event.correlation,
})

const securityEventOf = ({ kind, ...event }: SecurityEventView): z.infer<typeof SecurityEvent> => {
  const { request_id: _none, ...shown } = logOf({ ...event, correlation: null })
  return { ...shown, kind }
}

const summaryOf = ({ count, isComplete, security, locked }: AuditSummary) => ({
  total_events: count,
  complete: isComplete,
  failed_logins: security.log_in_failed,
  locked_logins: locked,
  failed_codes: security.code_failed,
  logins: security.log_in,
  staff_created: security.staff_created,
  role_changes: security.role_change,
  users_disabled: security.user_disabled,
  password_changes: security.password_change,
  api_key_changes: security.api_key,
  approvals: security.approval,
  rejections: security.rejection,
})

const show = async (call: Call<z.infer<typeof Asked>>) => {
  const { hours } = call.input
  const found = await ask(call, getAuditSummary, call.input)
  const listed = { count: found.count, results: found.events }
  const { results, next, previous } = numberedPage(call, call.input, listed, logOf)
  return {
    body: {
      ...{ audit_logs: results, next, previous, summary: summaryOf(found) },
      security_events: found.securityEvents.map(securityEventOf),
      time_range_hours: hours,
      by_user: Object.fromEntries(found.byActor.map((one) => [nameOf(one), one.count])),
      by_action: Object.fromEntries(found.byType.map(({ type, count }) => [type, count])),
    },
  }
}

export const auditRoutes: readonly Route[] = [
  route('get', '/api/audit/dashboard/', 'events:read', {
    tag: 'Audit',
    summary: 'Show what happened in the last hours, and what of it touches security',
    description: 'The newest first, out of the log of events: nobody writes or changes it here.',
    input: Asked,
    response: Dashboard,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...ADMIN, query: { hours: '24' } },
    run: show,
  }),
]
