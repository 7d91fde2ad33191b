/** A consumer group of the embedded bus: who reads which partition, and from where. */
import type { Topic } from './storage.ts'

export type Member = {
  /** A partition of this member with messages waiting; nobody else gets it until `release`. */
  claim(): number | undefined
  release(partition: number): void
  /** Resolves when it is worth claiming again, or the member's signal aborts. */
  work(): Promise<void>
  leave(): void
}

export type Group = {
  readonly name: string
  readonly topic: Topic
  /** The next offset to hand out, by partition. */
  readonly next: number[]
  join(signal: AbortSignal): Member
  /** Tells every member that there may be work. */
  wake(): void
}

/**
 * Partitions go to the members in turn. One batch of a partition is out at a time, whoever has
 * it, so that messages keep their order while members come and go.
 */
export function createGroup(name: string, topic: Topic, next: number[]): Group {
  const wakers: (() => void)[] = []
  const busy = new Set<number>()

  function wake(): void {
    for (const waker of wakers) waker()
  }

  function join(signal: AbortSignal): Member {
    let bell = Promise.withResolvers<void>()
    let last = 0
    const ring = () => bell.resolve()
    wakers.push(ring)
    signal.addEventListener('abort', ring)
    wake()
    return {
      claim() {
        bell = Promise.withResolvers<void>()
        const mine = wakers.indexOf(ring)
        for (let step = 1; step <= next.length; step += 1) {
          const partition = (last + step) % next.length
          const assigned = partition % wakers.length === mine
          if (!assigned || busy.has(partition)) continue
          if ((next[partition] ?? 0) >= (topic.next[partition] ?? 0)) continue
          busy.add(partition)
          last = partition
          return partition
        }
        return undefined
      },
      release(partition) {
        busy.delete(partition)
        wake()
      },
      async work() {
        if (!signal.aborted) await bell.promise
      },
      leave() {
        signal.removeEventListener('abort', ring)
        wakers.splice(wakers.indexOf(ring), 1)
        wake()
      },
    }
  }

  return { name, topic, next, join, wake }
}
