import type { SentEvent } from '../support/client.ts'

const fieldsOf = (part: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    part.split('\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )

const read = async (response: Response, into: SentEvent[]): Promise<void> => {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = parts.pop() ?? ''
    for (const { id = '', event = '', data } of parts.map(fieldsOf)) {
      if (data) into.push({ id, event, data: JSON.parse(data) })
    }
  }
}

export type Follower = {
  /** What has come so far, oldest first. */
  readonly events: readonly SentEvent[]
  /** Cuts the connection. */
  stop(): Promise<void>
}

/** Server-sent events over one connection, for as long as it lasts. */
export const follow = async (
  url: string,
  token: string | undefined,
  lastEventId: string,
): Promise<Follower> => {
  const ending = new AbortController()
  const response = await fetch(url, {
    headers: { Authorization: `Bearer ${token}`, 'Last-Event-ID': lastEventId },
    signal: ending.signal,
  })
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`)
  const events: SentEvent[] = []
  const reading = read(response, events).catch(() => undefined)
  return {
    events,
    stop: async () => {
      ending.abort()
      await reading
    },
  }
}
