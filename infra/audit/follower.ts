import type { EventStore, Position, Recorded } from '../../domain/log.ts'
import { readPages } from './pages.ts'

/** Something that takes events in log order, each once, up to a position of its own. */
export type Follower = {
  readonly take: (events: readonly Recorded[]) => Promise<void> | void
  at: Position | undefined
  until: bigint
}

export const later = (left: bigint, right: bigint): bigint => {
  if (left > right) return left
  return right
}

const isBehind = ({ at, until }: Follower): boolean => (at?.commit ?? 0n) < until

const earliest = (followers: readonly Follower[]): Position | undefined => {
  let least = followers[0]?.at
  for (const { at } of followers) {
    if (at === undefined) return undefined
    if (least && at.commit < least.commit) least = at
  }
  return least
}

/** Reads the log once and brings every follower to where it is to stand. */
export const lead = async (
  store: EventStore,
  followers: readonly Follower[],
  signal: AbortSignal,
  onPage: (page: readonly Recorded[]) => void,
): Promise<void> => {
  const behind = followers.filter(isBehind)
  if (behind.length === 0) return
  const furthest = behind.reduce((most, { until }) => later(most, until), 0n)
  for await (const page of readPages(store, earliest(behind), furthest, signal)) {
    for (const follower of behind) {
      const from = follower.at?.commit ?? -1n
      const news = page.filter(
        ({ position }) => position.commit > from && position.commit <= follower.until,
      )
      const last = news.at(-1)
      if (!last) continue
      await follower.take(news)
      follower.at = last.position
    }
    onPage(page)
  }
}
