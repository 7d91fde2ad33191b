import { z } from '@hono/zod-openapi'
import { Gating, Screening } from '../../domain/screening.ts'

/** What the native API answers with: for the OpenAPI document, and held to it by the tests. */

export const Timestamp = z.iso.datetime({ precision: 3 })
export const Minor = z.string().openapi({ description: 'minor units', example: '2500' })
export const Code = z.string().openapi({ example: 'customers:42:checking' })

export const pageOf = (item: z.ZodType, name: string) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() }).openapi(`${name}Page`)

export const Book = z
  .object({
    book: z.string(),
    name: z.string(),
    assets: z.array(z.string()),
    time_zone: z.string(),
    opened_at: Timestamp,
    closed_through: z.string().nullable(),
  })
  .openapi('Book')

export const BookOpened = z.object({
  book: z.string(),
  name: z.string(),
  assets: z.array(z.string()),
  time_zone: z.string(),
  opened_at: Timestamp,
})

export const BookAsset = z.object({ book: z.string(), asset: z.string() })

const VelocityLimit = z.object({
  window: z.enum(['day', 'month']),
  kind: z.string().optional(),
  amount: Minor.optional(),
  count: z.int().optional(),
})

const Labels = z.record(z.string(), z.string())
export const AccountTerms = z
  .object({
    overdraft_limit: z.string().openapi({ description: 'minor units, or `unlimited`' }),
    velocity_limits: z.array(VelocityLimit),
  })
  .openapi('AccountTerms')

const AccountType = z.enum(['asset', 'liability', 'equity', 'income', 'expense'])

export const AccountOpened = z.object({
  book: z.string(),
  account: Code,
  type: AccountType,
  asset: z.string(),
  name: z.string(),
  owner: z.string().nullable(),
  terms: AccountTerms,
  metadata: Labels.optional(),
  risk: Gating.optional(),
  opened_at: Timestamp,
})

export const Account = z
  .object({
    book: z.string(),
    account: Code,
    type: AccountType,
    asset: z.string(),
    name: z.string(),
    owner: z.string().nullable(),
    status: z.enum(['active', 'frozen', 'closed']),
    status_reason: z.string().nullable(),
    ...AccountTerms.shape,
    covered_by: Code.nullable(),
    risk: Gating,
    metadata: Labels,
    balance: Minor,
    held: Minor,
    available: Minor,
    revision: z.int(),
    opened_at: Timestamp,
  })
  .openapi('Account')

export const AccountStatus = z.object({
  book: z.string(),
  account: Code,
  status: z.enum(['active', 'frozen', 'closed']),
})

export const TermsChanged = z.object({ book: z.string(), account: Code, terms: AccountTerms })

export const Balance = z
  .object({
    book: z.string(),
    account: Code,
    asset: z.string(),
    balance: Minor,
    held: Minor.nullable(),
    available: Minor.nullable(),
    at: z.string().nullable(),
  })
  .openapi('Balance')

const Direction = z.enum(['debit', 'credit'])
const Line = z.object({
  account: Code,
  direction: Direction,
  amount: Minor,
  asset: z.string(),
  balance: Minor.openapi({ description: 'what the account stood at afterwards' }),
})

export const Hold = z
  .object({
    id: z.string(),
    account: Code,
    asset: z.string(),
    amount: Minor,
    kind: z.enum(['authorisation', 'deposit']),
    description: z.string(),
    expires_at: Timestamp.nullable(),
  })
  .openapi('NewHold')

export const PostedEntry = z
  .object({
    id: z.string(),
    kind: z.string(),
    lines: z.array(Line),
    booked_at: Timestamp,
    value_date: z.string(),
    description: z.string(),
    reference: z.string().optional(),
    metadata: Labels.optional(),
    reverses: z.string().optional(),
    captures: z.object({ hold: z.string(), amount: Minor, left: Minor }).optional(),
    holds: z.array(Hold).optional(),
    screening: Screening.optional(),
    approved_by: z.string().optional(),
  })
  .openapi('PostedEntry')

export const Entry = z
  .object({
    book: z.string(),
    entry: z.string(),
    revision: z.int(),
    position: z.string(),
    kind: z.string(),
    description: z.string(),
    reference: z.string().nullable(),
    metadata: Labels,
    booked_at: Timestamp,
    value_date: z.string(),
    reverses: z.string().nullable(),
    reversed_by: z.string().nullable(),
    captures: z.string().nullable(),
    correlation: z.string().nullable(),
    lines: z.array(Line),
  })
  .openapi('Entry')

export const StatementLine = z
  .object({
    entry: z.string(),
    revision: z.int(),
    direction: Direction,
    amount: Minor,
    asset: z.string(),
    balance: Minor,
    kind: z.string(),
    description: z.string(),
    booked_at: Timestamp,
    value_date: z.string(),
  })
  .openapi('StatementLine')

export const HoldState = z
  .object({
    book: z.string(),
    hold: z.string(),
    account: Code,
    asset: z.string(),
    kind: z.string(),
    amount: Minor,
    left: Minor,
    status: z.enum(['open', 'captured', 'released', 'expired']),
    description: z.string(),
    placed_at: Timestamp,
    expires_at: Timestamp.nullable(),
    ended_at: Timestamp.nullable(),
  })
  .openapi('Hold')

export const HoldReleased = z.object({
  hold: z.string(),
  account: Code,
  amount: Minor,
  released_at: Timestamp,
})

const Totals = { control: z.string(), asset: z.string(), debit: Minor, credit: Minor }

export const PeriodClosed = z.object({
  through: z.string(),
  closed_at: Timestamp,
  entries: z.int(),
  trial_balance: z.array(z.object(Totals)),
})

export const Period = z
  .object({
    book: z.string(),
    through: z.string(),
    closed_at: Timestamp,
    entries: z.string(),
    trial_balance: z.array(z.object(Totals)),
  })
  .openapi('Period')

export const TrialBalance = z
  .object({
    book: z.string(),
    at: z.string().nullable(),
    lines: z.array(z.object({ ...Totals, type: AccountType })),
    totals: z.array(
      z.object({ asset: z.string(), debit: Minor, credit: Minor, difference: Minor }),
    ),
  })
  .openapi('TrialBalance')

const Reason = z.object({
  feature: z.string(),
  code: z.string().optional(),
  value: z.number(),
  contribution: z.number(),
  text: z.string(),
})

export const Score = z
  .object({
    book: z.string(),
    entry: z.string(),
    account: Code,
    counterparty: Code,
    kind: z.string(),
    amount: Minor,
    asset: z.string(),
    model: z.string(),
    features: z.record(z.string(), z.number()),
    probability: z.number(),
    decision: z.enum(['approve', 'review', 'block']),
    by: z.enum(['model', 'rule', 'list', 'brake']),
    wanted: z.enum(['approve', 'review', 'block']).nullable(),
    rules: z
      .array(z.object({ rule: z.string(), outcome: z.string(), shadow: z.boolean() }))
      .nullable(),
    policy: z.int().nullable(),
    challengers: z.array(z.object({ model: z.string(), probability: z.number() })).nullable(),
    reasons: z.array(Reason),
    booked_at: Timestamp,
    scored_at: Timestamp,
    position: z.string(),
  })
  .openapi('Score')

export const LogEvent = z
  .object({
    id: z.string(),
    stream: z.string(),
    revision: z.int(),
    position: z.string(),
    type: z.string(),
    data: z.unknown(),
    metadata: Labels,
    recorded_at: Timestamp,
  })
  .openapi('Event')

export const TrailItem = z.object({
  stream: z.string(),
  revision: z.int(),
  position: z.string(),
  type: z.string(),
  correlation: z.string().nullable(),
  actor: z.string().nullable(),
  recorded_at: Timestamp,
})

export const ProjectionState = z
  .object({
    name: z.string(),
    version: z.int(),
    build: z.int(),
    status: z.enum(['building', 'active', 'stopped']),
    position: z.string(),
    events: z.int(),
    lag_events: z.int(),
    lag_events_more: z.boolean(),
    lag_seconds: z.number(),
    error: z.string().nullable(),
  })
  .openapi('Projection')
