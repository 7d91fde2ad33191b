import { beforeAll, describe, expect, test } from 'vitest'
import type { Dialect } from '../api/dialect.ts'
import { contracts } from '../api/index.ts'
import { type ProblemCode, problem } from '../api/problems.ts'
import type { Example, Route } from '../api/route.ts'
import type { ChurnRow } from '../ml/churn.ts'
import { simulateChurn } from '../ml/churn_simulator.ts'
import { strict } from './laws/strict.ts'
import { accepted } from './support/bank.ts'
import { type Client, createClient, eventually, type Reply } from './support/client.ts'
import { ADMIN, useDaybook } from './support/stack.ts'

const daybook = useDaybook()
const password = 'a password to be changed'
const captured: Record<string, string | number> = { own_password: password }
let admin: Client
let keeper: Client

const logIn = async (username: string, secret: string): Promise<Client> => {
  const credentials = { username, password: secret }
  const { body } = accepted(await createClient(daybook.url).post('/v1/tokens', credentials))
  return createClient(daybook.url, body.access_token, { id: body.user, session: body.session })
}

beforeAll(async () => {
  admin = await daybook.as('admin')
  // Somebody else, because who changes his password is logged out.
  const user = { username: 'keeper', password, name: 'Keeper', roles: ['admin'] }
  accepted(await admin.post('/v1/users', user))
  keeper = await logIn('keeper', password)
  captured.own_user = admin.id
  // A second log-in, because who ends his only session is logged out.
  captured.own_session = (await logIn(ADMIN.username, ADMIN.password)).session ?? ''
})

/** A transfer that the risk gate holds, because the example of a list has its payee watched. */
const hold = async (amount: string): Promise<string> => {
  const transfer = { from: 'customers:1:checking', to: 'customers:2:checking', amount }
  const asked = { ...transfer, risk: 'gate' }
  const { status, body } = accepted(await admin.post('/v1/books/example/transfers', asked))
  expect([status, body.status]).toEqual([202, 'held'])
  return body.id
}

/** What other routes bring about in the background, once it is there. */
const arrive: Readonly<Record<string, () => Promise<string>>> = {
  scored: async () => {
    const { body } = await eventually(
      'an entry is scored',
      () => admin.get('/v1/risk/scores?book=example'),
      (reply) => reply.body.items?.length > 0,
    )
    return body.items[0].entry
  },
  scored_too: async () => {
    const { body } = await eventually(
      'another entry is scored',
      () => admin.get('/v1/risk/scores?book=example'),
      (reply) => reply.body.items?.length > 1,
    )
    const entries = body.items.map(({ entry }: { entry: string }) => entry)
    return entries.find((entry: string) => entry !== captured.scored)
  },
  tomorrow: async () => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10),
  held: () => hold('4200'),
  held_too: () => hold('4300'),
  trained_model: async () => {
    const { body: asked } = accepted(
      await admin.send('POST', '/v1/churn/trainings', {
        body: churnCsv(simulateChurn({ seed: 7, customers: 400, missing: 0 })),
        headers: { 'Content-Type': 'text/csv' },
      }),
    )
    const { body } = await eventually(
      'a model is trained',
      () => admin.get(`/v1/tasks/${asked.task}`),
      (reply) => reply.body.status !== 'requested',
    )
    expect(body).toMatchObject({ status: 'completed' })
    return 'churn-2'
  },
}

/** The columns of an uploaded table, in the order of the model's features. */
const COLUMNS = 'Age,Tenure,Balance,NumOfProducts,HasCrCard,IsActiveMember,EstimatedSalary,Exited'

const churnCsv = (rows: readonly ChurnRow[]): string =>
  [COLUMNS, ...rows.map(({ vector, churned }) => [...vector, churned ? 1 : 0].join(','))].join('\n')

const fillIn = async (text: string): Promise<string> => {
  for (const [, name = ''] of text.matchAll(/\{(\w+)\}/g)) {
    captured[name] ??= (await arrive[name]?.()) ?? ''
    if (captured[name] === '') throw new Error(`no example captures {${name}}`)
  }
  return text.replace(/\{(\w+)\}/g, (_all, name: string) => String(captured[name] ?? ''))
}

/** In a body, what was captured as a number stays one. */
const fillInBody = (text: string): Promise<string> =>
  fillIn(
    text.replace(/"\{(\w+)\}"/g, (all, name: string) =>
      typeof captured[name] === 'number' ? String(captured[name]) : all,
    ),
  )

const headersOf = async ({ headers = {} }: Example): Promise<Record<string, string>> => {
  const filled: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) filled[name] = await fillIn(value)
  return filled
}

const addressOf = async ({ path }: Route, { params = {}, query }: Example): Promise<string> => {
  let address = path
  for (const [name, value] of Object.entries(params)) {
    address = address.replace(`{${name}}`, encodeURIComponent(await fillIn(value)))
  }
  if (!query) return address
  const fields = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) fields.append(name, await fillIn(value))
  return `${address}?${fields}`
}

const formOf = (fields: string | undefined, parts: NonNullable<Example['files']>): FormData => {
  const form = new FormData()
  for (const [name, value] of Object.entries(JSON.parse(fields ?? '{}'))) {
    form.append(name, String(value))
  }
  for (const [field, { name, base64 }] of Object.entries(parts)) {
    form.append(field, new Blob([Buffer.from(base64, 'base64')]), name)
  }
  return form
}

const ask = async (route: Route, example: Example): Promise<Reply> => {
  const address = await addressOf(route, example)
  const { body: wanted } = example
  const text = typeof wanted === 'string' ? wanted : JSON.stringify(wanted)
  const given = wanted === undefined ? undefined : text
  const client = example.by === 'another' || given?.includes('{own_password}') ? keeper : admin
  const headers = await headersOf(example)
  if (route.method === 'get') return client.get(address, headers)
  const body = given === undefined ? undefined : await fillInBody(given)
  if (example.files)
    return client.send(route.method.toUpperCase(), address, {
      headers,
      body: formOf(body, example.files),
    })
  const streamed = route.consumes ?? 'application/x-ndjson'
  const type = route.source === 'stream' ? streamed : 'application/json'
  return client.send(route.method.toUpperCase(), address, {
    headers: { ...(body !== undefined && { 'Content-Type': type }), ...headers },
    ...(body !== undefined && { body }),
  })
}

const files = ['application/zip', 'application/pdf', 'image/*', '*/*']

const check = (route: Route, reply: Reply): void => {
  expect(reply.status, reply.text).toBe(route.status)
  if (route.status === 204) return
  const type = (route.contentType ?? 'application/json').replaceAll('*', '')
  expect(reply.headers.get('content-type')).toContain(type)
  expect(reply.headers.get('x-request-id')).toBeTruthy()
  if (files.includes(route.contentType ?? '')) return
  const parsed = strict(route.response).safeParse(reply.body)
  expect(parsed.error?.issues ?? [], reply.text).toEqual([])
}

const capture = ({ capture: wanted = {}, cookies = {} }: Example, reply: Reply): void => {
  const { body, headers } = reply
  for (const [name, cookie] of Object.entries(cookies)) {
    const set = headers.getSetCookie().find((one) => one.startsWith(`${cookie}=`))
    expect(set, `the answer sets no cookie ${cookie}`).toBeTruthy()
    captured[name] = /=([^;]*)/.exec(set ?? '')?.[1] ?? ''
  }
  for (const [name, field] of Object.entries(wanted)) {
    expect(body[field], `the answer has no ${field}`).toBeTruthy()
    captured[name] = body[field]
  }
}

const examples = contracts.flatMap(({ dialect, routes }) =>
  routes.flatMap((route) =>
    [route.example, ...(route.furtherExamples ?? [])].map(
      (example, index) =>
        [`${route.method} ${route.path}`, index, dialect, route, example] as const,
    ),
  ),
)

/** The status of a refusal, and its code where the contract's bodies have one. */
const checkRefused = (dialect: Dialect, code: ProblemCode, reply: Reply): void => {
  const fault = dialect.fault(problem(code, ''), { path: '', requestId: '' })
  expect(reply.status, reply.text).toBe(fault.status)
  const { code: told } = fault.body as { code?: string }
  expect(reply.body.code, reply.text).toBe(told)
}

describe('the example of', () => {
  test.each(examples)('%s (%i)', async (_name, _index, dialect, route, example) => {
    if (route.contentType === 'text/event-stream') {
      const [first] = await admin.events(await addressOf(route, example), 1)
      expect(first?.id).toMatch(/^\d+$/)
      return
    }
    // A file is made in the background.
    const reply = files.includes(route.contentType ?? '')
      ? await eventually(
          'a file',
          () => ask(route, example),
          ({ status }) => status === 200,
        )
      : await ask(route, example)
    if (example.refused) {
      checkRefused(dialect, example.refused, reply)
      return
    }
    check(route, reply)
    capture(example, reply)
  })
})
