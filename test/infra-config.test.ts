import { describe, expect, test } from 'vitest'
import { ConfigurationError, readConfig } from '../infra/config.ts'

function faultsOf(environment: { [name: string]: string }): readonly string[] {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults
    throw error
  }
  return []
}

describe('configuration', () => {
  test('everything has a default', () => {
    expect(readConfig({})).toEqual({
      port: 8080,
      host: '127.0.0.1',
      dataDirectory: '.daybook',
      eventStoreUrl: undefined,
      databaseUrl: undefined,
      kafkaBrokers: undefined,
      admin: undefined,
      tokenSecret: undefined,
      vaultKey: undefined,
      pinPepper: undefined,
      test: false,
      logLevel: 'info',
      logTo: 'file',
      secureCookies: false,
      smtpUrl: undefined,
      smtpFrom: 'Daybook <daybook@localhost>',
      smsGatewayUrl: undefined,
      smsGatewayToken: undefined,
      roles: new Set(['api', 'project', 'relay', 'score']),
      trustedProxies: 0,
      rateLimitPerMinute: 6000,
      bodyLimitBytes: 1048576,
      shutdownTimeoutSeconds: 10,
      riskAlertThreshold: undefined,
      riskGateTimeoutMs: 1_000,
    })
  })

  test('reads what is set and counts an empty variable as not set', () => {
    const config = readConfig({
      PORT: '0',
      HOST: '',
      EVENTSTORE_URL: 'esdb://node1:2113,node2:2113?tls=true',
      DATABASE_URL: 'postgres://me:secret@db/daybook',
      KAFKA_BROKERS: 'one:9092, two:9092',
      ADMIN_USERNAME: 'ada',
      ADMIN_PASSWORD: 'correct horse',
      ROLES: 'project,relay',
      RISK_ALERT_THRESHOLD: '0.95',
      RATE_LIMIT_PER_MINUTE: '0',
      SECURE_COOKIES: '1',
      SMTP_URL: 'smtps://me:secret@mail',
      SMS_GATEWAY_URL: 'https://gateway/messages',
    })
    expect(config).toMatchObject({
      port: 0,
      host: '127.0.0.1',
      eventStoreUrl: 'esdb://node1:2113,node2:2113?tls=true',
      kafkaBrokers: ['one:9092', 'two:9092'],
      admin: { username: 'ada', password: 'correct horse' },
      roles: new Set(['project', 'relay']),
      riskAlertThreshold: 0.95,
      rateLimitPerMinute: 0,
      secureCookies: true,
      smtpUrl: 'smtps://me:secret@mail',
      smsGatewayUrl: 'https://gateway/messages',
    })
  })

  test('lists all faults at once, each with its variable', () => {
    const faults = faultsOf({
      PORT: '70000',
      DATABASE_URL: 'mysql://db',
      KAFKA_BROKERS: 'nowhere',
      ADMIN_PASSWORD: 'short',
      TOKEN_SECRET: 'short',
      LOG_LEVEL: 'loud',
      ROLES: 'api,cook',
      BODY_LIMIT_BYTES: '1e6',
      RISK_ALERT_THRESHOLD: '1.5',
      DAYBOOK_DATTA: '/tmp',
    })
    expect(faults).toEqual([
      'PORT: expected a whole number from 0 to 65535',
      'DATABASE_URL: expected a URL that begins with postgres:// or postgresql://',
      'KAFKA_BROKERS: expected host:port pairs with commas between them',
      'ADMIN_PASSWORD: expected at least 12 characters',
      'TOKEN_SECRET: expected at least 32 characters',
      'LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent',
      'ROLES: expected some of api, project, relay, score, each once, with commas between them',
      'BODY_LIMIT_BYTES: expected a whole number from 1024 to 1073741824',
      'RISK_ALERT_THRESHOLD: expected a number from 0 to 1, such as 0.8',
      'ADMIN_USERNAME: expected, because ADMIN_PASSWORD is set',
      'DAYBOOK_DATTA: no such variable; is it misspelt?',
    ])
  })

  test('never repeats a secret', () => {
    const faults = faultsOf({ ADMIN_PASSWORD: 'hunter2', TOKEN_SECRET: 'hunter3' })
    expect(faults.length).toBe(3)
    expect(faults.join()).not.toContain('hunter')
  })

  test.each([
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['SHUTDOWN_TIMEOUT_SECONDS', '0'],
    ['RISK_ALERT_THRESHOLD', '.'],
    ['RISK_ALERT_THRESHOLD', 'NaN'],
    ['ROLES', 'api,api'],
    ['ROLES', ','],
    ['KAFKA_BROKERS', 'one:9092,'],
    ['EVENTSTORE_URL', 'http://localhost:2113'],
    ['EVENTSTORE_URL', 'localhost:2113'],
    ['SMTP_URL', 'mail.example.com:25'],
    ['SMS_GATEWAY_URL', 'ftp://gateway.example.com'],
    ['SECURE_COOKIES', 'true'],
  ])('%s=%s is refused', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([expect.stringMatching(`^${name}: expected `)])
  })
  test('opens the test door only beside stores of its own, and limits nobody then', () => {
    expect(readConfig({ DAYBOOK_TEST: '1' })).toMatchObject({ test: true, rateLimitPerMinute: 0 })
    const limited = { DAYBOOK_TEST: '1', RATE_LIMIT_PER_MINUTE: '5' }
    expect(readConfig(limited)).toMatchObject({ rateLimitPerMinute: 0 })
    for (const off of ['0', '']) {
      expect(readConfig({ ...limited, DAYBOOK_TEST: off })).toMatchObject({
        ...{ test: false, rateLimitPerMinute: 5 },
      })
    }
    expect(faultsOf({ DAYBOOK_TEST: 'yes' })).toEqual(['DAYBOOK_TEST: expected 1, or 0'])
  })

  test('refuses the test door beside each store that is real, and names them all', () => {
    const real = {
      EVENTSTORE_URL: 'esdb://node:2113',
      DATABASE_URL: 'postgres://db/daybook',
      KAFKA_BROKERS: 'one:9092',
      SMTP_URL: 'smtp://mail',
      SMS_GATEWAY_URL: 'https://gateway',
    }
    const fault = (name: string) => `${name}: expected not to be set together with DAYBOOK_TEST`
    for (const [name, value] of Object.entries(real)) {
      expect(faultsOf({ DAYBOOK_TEST: '1', [name]: value })).toEqual([fault(name)])
    }
    expect(faultsOf({ DAYBOOK_TEST: '1', ...real })).toEqual(Object.keys(real).map(fault))
    expect(faultsOf({ DAYBOOK_TEST: '0', ...real })).toEqual([])
  })
})
