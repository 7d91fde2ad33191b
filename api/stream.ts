/** Lines in groups of what has arrived, at most `most`; `undefined` stands for one too long. */
async function* linesOf(
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

/** How much of a stream is worked on at once; what lies further on is not yet read. */
const WINDOW = 512

type Slot = { result: string | undefined; readonly settled: Promise<void> }

/** Calls `work` for each line, many at a time, and sends the results in the lines' order. */
export const answerLines = (
  body: ReadableStream<Uint8Array> | null,
  limit_bytes: number,
  work: (line: string | undefined, index: number) => Promise<string>,
): ReadableStream<Uint8Array> => {
  const groups = linesOf(body, limit_bytes, WINDOW)
  const encoder = new TextEncoder()
  const slots: Slot[] = []
  let index = 0
  let ended = false
  let failure: unknown
  let wakeReader: (() => void) | undefined
  let wakeWriter: (() => void) | undefined

  const begin = (line: string | undefined): void => {
    const slot: Slot = {
      result: undefined,
      settled: work(line, index).then(
        (text) => {
          slot.result = text
        },
        (error: unknown) => {
          failure = error
        },
      ),
    }
    index += 1
    slots.push(slot)
  }
  const read = async (): Promise<void> => {
    for await (const lines of groups) {
      for (const line of lines) begin(line)
      wakeWriter?.()
      while (slots.length >= WINDOW && !ended) {
        await new Promise<void>((resolve) => {
          wakeReader = resolve
        })
      }
    }
  }
  const reading = read()
    .catch((error: unknown) => {
      failure = error
    })
    .finally(() => {
      ended = true
      wakeWriter?.()
    })
  /** The results at the front that are there, after waiting for the first. */
  const takeSettled = async (): Promise<string> => {
    if (slots.length === 0 && !ended) {
      await new Promise<void>((resolve) => {
        wakeWriter = resolve
      })
    }
    await slots[0]?.settled
    let text = ''
    while (slots[0]?.result !== undefined) text += slots.shift()?.result
    wakeReader?.()
    return text
  }
  return new ReadableStream({
    pull: async (controller) => {
      const text = await takeSettled()
      if (failure !== undefined) controller.error(failure)
      else if (text !== '') controller.enqueue(encoder.encode(text))
      else {
        await reading
        controller.close()
      }
    },
    cancel: async () => {
      ended = true
      wakeReader?.()
      await groups.return(undefined)
    },
  })
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
