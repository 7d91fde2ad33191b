/** Configuration: environment variables, read once at start. */
import { z } from 'zod'

const roles = ['api', 'project', 'relay', 'score'] as const

export type Role = (typeof roles)[number]

/** Every fault of the configuration at once, one line each: the variable and what was expected. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(['The configuration is not valid:', ...faults].join('\n'))
    this.faults = faults
  }
}

function wholeNumber(low: number, high: number, fallback: number) {
  const fault = `expected a whole number from ${low} to ${high}`
  return z
    .string()
    .regex(/^\d{1,15}$/, fault)
    .transform(Number)
    .refine((value) => value >= low && value <= high, fault)
    .default(fallback)
}

function flag() {
  return z
    .enum(['0', '1'], 'expected 1, or 0')
    .default('0')
    .transform((value) => value === '1')
}

/** A prefix only: the event store's own scheme lists several hosts, which no URL parser takes. */
function urlOf(...schemes: readonly string[]) {
  return z
    .string()
    .refine(
      (text) => schemes.some((scheme) => text.startsWith(`${scheme}://`)),
      `expected a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    )
    .optional()
}

function commaList<Item extends string>(item: z.ZodType<Item, string>, fault: string) {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).min(1))
    .refine((items) => new Set(items).size === items.length, fault)
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const thresholdFault = 'expected a number from 0 to 1, such as 0.8'
const brokerFault = 'expected host:port pairs with commas between them'
const roleFault = `expected some of ${roles.join(', ')}, each once, with commas between them`

const variables = {
  PORT: wholeNumber(0, 65_535, 8_080),
  HOST: z.string().max(255).default('127.0.0.1'),
  DAYBOOK_TEST: flag(),
  DAYBOOK_DATA: z.string().max(4_096).default('.daybook'),
  EVENTSTORE_URL: urlOf('esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover'),
  DATABASE_URL: urlOf('postgres', 'postgresql'),
  KAFKA_BROKERS: commaList(
    z.string().regex(/^[^\s:,]+:\d{1,5}$/, brokerFault),
    brokerFault,
  ).optional(),
  ADMIN_USERNAME: z.string().min(1).max(100, 'expected at most 100 characters').optional(),
  ADMIN_PASSWORD: z.string().min(12, 'expected at least 12 characters').max(1_024).optional(),
  TOKEN_SECRET: z.string().min(32, 'expected at least 32 characters').optional(),
  VAULT_KEY: z.string().min(32, 'expected at least 32 characters').optional(),
  PIN_PEPPER: z.string().min(32, 'expected at least 32 characters').optional(),
  LOG_LEVEL: z.enum(logLevels, `expected one of ${logLevels.join(', ')}`).default('info'),
  LOG_TO: z.enum(['file', 'stdout'], 'expected file or stdout').default('file'),
  ROLES: commaList(z.enum(roles, roleFault), roleFault).default([...roles]),
  SECURE_COOKIES: flag(),
  SMTP_URL: urlOf('smtp', 'smtps'),
  SMTP_FROM: z.string().max(256).default('Daybook <daybook@localhost>'),
  SMS_GATEWAY_URL: urlOf('http', 'https'),
  SMS_GATEWAY_TOKEN: z.string().max(4_096).optional(),
  TRUSTED_PROXIES: wholeNumber(0, 16, 0),
  RATE_LIMIT_PER_MINUTE: wholeNumber(0, 10_000_000, 6_000),
  BODY_LIMIT_BYTES: wholeNumber(1_024, 1_073_741_824, 1_048_576),
  SHUTDOWN_TIMEOUT_SECONDS: wholeNumber(1, 600, 10),
  RISK_GATE_TIMEOUT_MS: wholeNumber(10, 60_000, 1_000),
  RISK_ALERT_THRESHOLD: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, thresholdFault)
    .transform(Number)
    .optional(),
}

const schema = z.object(variables)

/**
 * What Daybook was told. A part whose URL is undefined is started embedded. Sizes are bytes,
 * times seconds; `rateLimitPerMinute` counts requests of one client, and 0 switches it off.
 */
export type Config = {
  readonly port: number
  readonly host: string
  readonly dataDirectory: string
  readonly eventStoreUrl: string | undefined
  readonly databaseUrl: string | undefined
  readonly kafkaBrokers: readonly string[] | undefined
  readonly admin: { readonly username: string; readonly password: string } | undefined
  readonly tokenSecret: string | undefined
  readonly vaultKey: string | undefined
  readonly pinPepper: string | undefined
  readonly logLevel: (typeof logLevels)[number]
  readonly logTo: 'file' | 'stdout'
  readonly roles: ReadonlySet<Role>
  /** Cookies are sent over https only; otherwise when the request came over https. */
  readonly secureCookies: boolean
  /** Where e-mail and SMS leave; undefined: they stay, for administrators to read. */
  readonly smtpUrl: string | undefined
  readonly smtpFrom: string
  readonly smsGatewayUrl: string | undefined
  readonly smsGatewayToken: string | undefined
  /** Proxies of ours before the server, each of which adds to X-Forwarded-For. */
  readonly trustedProxies: number
  readonly rateLimitPerMinute: number
  readonly bodyLimitBytes: number
  readonly shutdownTimeoutSeconds: number
  readonly riskAlertThreshold: number | undefined
  /** How long a posting waits for the risk gate before the book's policy decides without a score. */
  readonly riskGateTimeoutMs: number
  /** The test door is open: anybody may reset everything. */
  readonly test: boolean
}

/**
 * Reads the configuration. An empty variable counts as not set, because that is how compose files
 * and shells write it. Throws `ConfigurationError`.
 */
export function readConfig(environment: { readonly [name: string]: string | undefined }): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = schema.safeParse(given)
  const faults = [
    ...(parsed.error?.issues ?? []).map((issue) => `${String(issue.path[0])}: ${issue.message}`),
    ...unpaired(given, 'ADMIN_USERNAME', 'ADMIN_PASSWORD'),
    ...unfitForTests(given),
    ...unknown(given),
  ]
  if (!parsed.success || faults.length > 0) throw new ConfigurationError([...new Set(faults)])
  const read = parsed.data
  return {
    port: read.PORT,
    host: read.HOST,
    dataDirectory: read.DAYBOOK_DATA,
    eventStoreUrl: read.EVENTSTORE_URL,
    databaseUrl: read.DATABASE_URL,
    kafkaBrokers: read.KAFKA_BROKERS,
    admin:
      read.ADMIN_USERNAME !== undefined && read.ADMIN_PASSWORD !== undefined
        ? { username: read.ADMIN_USERNAME, password: read.ADMIN_PASSWORD }
        : undefined,
    tokenSecret: read.TOKEN_SECRET,
    vaultKey: read.VAULT_KEY,
    pinPepper: read.PIN_PEPPER,
    test: read.DAYBOOK_TEST,
    logLevel: read.LOG_LEVEL,
    logTo: read.LOG_TO,
    roles: new Set(read.ROLES),
    secureCookies: read.SECURE_COOKIES,
    smtpUrl: read.SMTP_URL,
    smtpFrom: read.SMTP_FROM,
    smsGatewayUrl: read.SMS_GATEWAY_URL,
    smsGatewayToken: read.SMS_GATEWAY_TOKEN,
    trustedProxies: read.TRUSTED_PROXIES,
    // Tests name the limits that they want.
    rateLimitPerMinute: read.DAYBOOK_TEST ? 0 : read.RATE_LIMIT_PER_MINUTE,
    bodyLimitBytes: read.BODY_LIMIT_BYTES,
    shutdownTimeoutSeconds: read.SHUTDOWN_TIMEOUT_SECONDS,
    riskAlertThreshold: read.RISK_ALERT_THRESHOLD,
    riskGateTimeoutMs: read.RISK_GATE_TIMEOUT_MS,
  }
}

type Given = { readonly [name: string]: string | undefined }

function unpaired(given: Given, first: string, second: string): string[] {
  if ((given[first] === undefined) === (given[second] === undefined)) return []
  const [missing, present] = given[first] === undefined ? [first, second] : [second, first]
  return [`${missing}: expected, because ${present} is set`]
}

/** Whoever may reset everything shall have nothing real to reset. */
function unfitForTests(given: Given): string[] {
  if (given.DAYBOOK_TEST !== '1') return []
  return ['EVENTSTORE_URL', 'DATABASE_URL', 'KAFKA_BROKERS', 'SMTP_URL', 'SMS_GATEWAY_URL']
    .filter((name) => given[name] !== undefined)
    .map((name) => `${name}: expected not to be set together with DAYBOOK_TEST`)
}

/** Other programs' variables pass by; one of ours that we do not know is a slip of the keyboard. */
function unknown(given: Given): string[] {
  return Object.keys(given)
    .filter((name) => name.startsWith('DAYBOOK_') && !Object.hasOwn(variables, name))
    .map((name) => `${name}: no such variable; is it misspelt?`)
}
