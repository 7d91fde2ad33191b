/** Lines in groups of what has arrived, at most `most`; `undefined` stands for one too long. */
export async function* linesOf(
  body: ReadableStream<Uint8Array> | null,
  limit_bytes: number,
  most: number,
): AsyncGenerator<(string | undefined)[], undefined> {
  if (!body) return undefined
  const decoder = new TextDecoder()
  let rest = ''
  let skipping = false
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    const lines: (string | undefined)[] = []
    for (const part of parts) {
      if (skipping || part.length > limit_bytes) lines.push(undefined)
      else if (part.trim() !== '') lines.push(part)
      skipping = false
    }
    if (rest.length > limit_bytes) {
      rest = ''
      skipping = true
    }
    for (let start = 0; start < lines.length; start += most) yield lines.slice(start, start + most)
  }
  if (skipping) yield [undefined]
  else if (rest.trim() !== '') yield [rest]
  return undefined
}

export type SentEvent = { readonly id?: string; readonly event?: string; readonly data: string }

const encode = ({ id, event, data }: SentEvent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`

const HEARTBEAT_MS = 15_000

/**
 * Server-sent events, pulled as fast as the reader takes them, with a comment line now and then to
 * keep proxies from cutting a quiet stream. `open` begins the source; it is aborted with the stream.
 */
export const sendEvents = (
  open: (signal: AbortSignal) => AsyncIterable<SentEvent>,
  signals: readonly AbortSignal[],
): ReadableStream<Uint8Array> => {
  const ending = new AbortController()
  const signal = AbortSignal.any([ending.signal, ...signals])
  const events = open(signal)[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  let heartbeat: NodeJS.Timeout | undefined
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        controller.enqueue(encoder.encode(': connected\n\n'))
        heartbeat = setInterval(() => {
          const idle = (controller.desiredSize ?? 0) > 0
          if (idle && !signal.aborted) controller.enqueue(encoder.encode(': alive\n\n'))
        }, HEARTBEAT_MS)
        heartbeat.unref()
      },
      pull: async (controller) => {
        const { value, done } = await events.next()
        if (done) {
          clearInterval(heartbeat)
          controller.close()
        } else controller.enqueue(encoder.encode(encode(value)))
      },
      cancel: async () => {
        clearInterval(heartbeat)
        ending.abort()
        await events.return?.(undefined)
      },
    },
    { highWaterMark: 4 },
  )
}
