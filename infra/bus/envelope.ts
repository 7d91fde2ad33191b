/** An event of the log as a message: the JSON of `value`, a wire contract. */
import { z } from 'zod'
import type { Recorded } from '../../domain/log.ts'
import { PoisonedMessage } from './errors.ts'
import type { Message, OutgoingMessage } from './port.ts'

export const Envelope = z.object({
  id: z.string(),
  stream: z.string(),
  revision: z.int().min(0),
  /** The commit half of the log position, decimal; the prepare half is the same. */
  position: z.string().regex(/^\d{1,20}$/),
  type: z.string(),
  data: z.unknown(),
  metadata: z.record(z.string(), z.string()),
  recorded_at: z.iso.datetime(),
})
export type Envelope = z.infer<typeof Envelope>

/** Keyed by stream: a stream's events keep their order, and its revisions have no gaps. */
export function messageOf(event: Recorded): OutgoingMessage {
  const envelope: Envelope = {
    id: event.id,
    stream: event.stream,
    revision: event.revision,
    position: String(event.position.commit),
    type: event.type,
    data: event.data,
    metadata: event.metadata,
    recorded_at: event.recordedAt.toISOString(),
  }
  return {
    key: event.stream,
    id: event.id,
    value: JSON.stringify(envelope),
    headers: { 'content-type': 'application/json', type: event.type },
  }
}

/** The events of a batch, in order. Throws PoisonedMessage for what is not one. */
export function eventsOf(messages: readonly Message[]): Recorded[] {
  return messages.map((message, index) => {
    const parsed = Envelope.safeParse(parseJson(message.value, index))
    if (!parsed.success) throw new PoisonedMessage(index, z.prettifyError(parsed.error))
    const { position, recorded_at, ...rest } = parsed.data
    const commit = BigInt(position)
    return {
      ...rest,
      position: { commit, prepare: commit },
      recordedAt: new Date(recorded_at),
    }
  })
}

function parseJson(text: string, index: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PoisonedMessage(index, 'the value is not JSON')
  }
}
