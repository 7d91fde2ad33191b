import { setTimeout as wait } from 'node:timers/promises'

// biome-ignore lint/suspicious/noExplicitAny: bodies are what the tests look into
type Body = any

export type Reply = {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
  readonly text: string
}

type Headed = Readonly<Record<string, string>>

export type Client = {
  readonly id: string
  readonly session: string | undefined
  readonly token: string | undefined
  /** Reads see every write that was made before, unless a token is given. */
  get(path: string, headers?: Headed): Promise<Reply>
  post(path: string, body?: unknown, headers?: Headed): Promise<Reply>
  put(path: string, body?: unknown, headers?: Headed): Promise<Reply>
  /** As it stands: nothing is added but who asks. */
  send(
    method: string,
    path: string,
    options?: {
      body?: string | FormData | Uint8Array<ArrayBuffer> | ReadableStream
      headers?: Headed
    },
  ): Promise<Reply>
  /** Server-sent events until `enough` of them have come. */
  events(path: string, enough: number, headers?: Headed): Promise<SentEvent[]>
}

export type SentEvent = { readonly id: string; readonly event: string; readonly data: Body }

const REPLY_MS = 20_000

const parse = (text: string): Body => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const readEvents = async (response: Response, enough: number): Promise<SentEvent[]> => {
  const events: SentEvent[] = []
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const parts = (rest + Buffer.from(chunk).toString()).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const fields = Object.fromEntries(
        part
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      if (fields.data) {
        events.push({ id: fields.id ?? '', event: fields.event ?? '', data: parse(fields.data) })
      }
    }
    if (events.length >= enough) break
  }
  return events
}

/** The newest write of several clients, so that one reads what another wrote. */
export type Seen = { newest: bigint }

export const createClient = (
  url: string,
  token?: string,
  who: { readonly id?: string; readonly session?: string } = {},
  seen: Seen = { newest: 0n },
): Client => {
  const send: Client['send'] = async (method, path, { body, headers = {} } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body !== undefined && { body, duplex: 'half' }),
      headers: { ...(token && { Authorization: `Bearer ${token}` }), ...headers },
      signal: AbortSignal.timeout(REPLY_MS),
    } as RequestInit)
    const text = await response.text()
    const position = BigInt(response.headers.get('consistency-token') ?? 0)
    if (position > seen.newest) seen.newest = position
    return { status: response.status, headers: response.headers, body: parse(text), text }
  }
  const json =
    (method: string) =>
    (path: string, body?: unknown, headers: Headed = {}) =>
      send(method, path, {
        ...(body !== undefined && { body: JSON.stringify(body) }),
        headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      })
  return {
    id: who.id ?? 'anonymous',
    session: who.session,
    token,
    send,
    get: (path, headers = {}) =>
      send('GET', path, {
        headers: { ...(seen.newest > 0n && { 'Consistency-Token': `${seen.newest}` }), ...headers },
      }),
    post: json('POST'),
    put: json('PUT'),
    events: async (path, enough, headers = {}) => {
      const ending = new AbortController()
      const response = await fetch(`${url}${path}`, {
        headers: { ...(token && { Authorization: `Bearer ${token}` }), ...headers },
        signal: AbortSignal.any([ending.signal, AbortSignal.timeout(REPLY_MS)]),
      })
      if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
      const events = await readEvents(response, enough)
      ending.abort()
      return events
    },
  }
}

/** Asks again until the answer will do; fails with what it last was. */
export const eventually = async <Value>(
  what: string,
  ask: () => Promise<Value>,
  willDo: (value: Value) => boolean,
  deadline_ms = 15_000,
): Promise<Value> => {
  const deadline = Date.now() + deadline_ms
  for (;;) {
    const value = await ask()
    if (willDo(value)) return value
    if (Date.now() > deadline) throw new Error(`in vain: ${what}: ${JSON.stringify(value)}`)
    await wait(20)
  }
}
