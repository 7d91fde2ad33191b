import type { Judged, Judgement, Tally, Thresholds } from '../domain/judgement.ts'
import { judge } from '../domain/judgement.ts'
import type { Policy } from '../domain/policies.ts'

const MINUTE_MS = 60_000
/** The longest window a policy may name. */
const MOST_MINUTES = 1_440

type Minute = { movements: number; wanted_blocked: number }

/**
 * Movements by the minute in which they were booked, for the brake on mass declines. By their own
 * time and not by that of scoring: a history that is read anew in a moment is no rush.
 */
export type Recent = { readonly minutes: Map<number, Minute>; newest: number }

export const noneRecent = (): Recent => ({ minutes: new Map(), newest: 0 })

const minuteOf = (booked_at: string): number => Math.floor(Date.parse(booked_at) / MINUTE_MS)

/** Counts a movement, and forgets what no window reaches any more. */
export const countRecent = (recent: Recent, booked_at: string, wantedBlocked: boolean): void => {
  const minute = minuteOf(booked_at)
  const counted = recent.minutes.get(minute) ?? { movements: 0, wanted_blocked: 0 }
  counted.movements += 1
  if (wantedBlocked) counted.wanted_blocked += 1
  recent.minutes.set(minute, counted)
  if (minute <= recent.newest) return
  recent.newest = minute
  for (const old of recent.minutes.keys()) {
    if (old <= minute - MOST_MINUTES) recent.minutes.delete(old)
  }
}

/** What was counted in the minutes before this time, its own included. */
export const tallyOf = (recent: Recent, at: string, window_minutes: number): Tally => {
  const now = minuteOf(at)
  let [movements, wanted_blocked] = [0, 0]
  for (const [minute, counted] of recent.minutes) {
    if (minute > now || minute <= now - window_minutes) continue
    movements += counted.movements
    wanted_blocked += counted.wanted_blocked
  }
  return { movements, wanted_blocked }
}

const NO_TALLY: Tally = { movements: 0, wanted_blocked: 0 }

/**
 * Judges a movement with the brake in mind, and counts it for those that come after. Without
 * `recent` nothing is counted, and nothing braked.
 */
export const judgeNext = (
  recent: Recent | undefined,
  policy: Policy,
  movement: Judged & { readonly booked_at: string },
  thresholds: Thresholds,
): Judgement => {
  const { brake } = policy
  const { booked_at } = movement
  const tally = brake && recent ? tallyOf(recent, booked_at, brake.window_minutes) : NO_TALLY
  const judgement = judge(policy, movement, thresholds, tally)
  if (recent) countRecent(recent, booked_at, judgement.wanted === 'block')
  return judgement
}
