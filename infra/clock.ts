/** A clock that the test door can stop, for every thread of this process. */
export type Clock = {
  readonly now: () => Date
  /** Stands still at this moment; null: runs again. */
  set(at: Date | null): void
  /** What other threads make the same clock of. */
  readonly shared: SharedArrayBuffer
}

/** Not a number: the clock runs. */
const RUNNING = Number.NaN

export const createClock = (): Clock => {
  const shared = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
  const moment = new Float64Array(shared)
  moment[0] = RUNNING
  return {
    shared,
    now: clockFrom(shared),
    set: (at) => {
      moment[0] = at === null ? RUNNING : at.getTime()
    },
  }
}

/** In a thread: the clock behind what it was given. */
export const clockFrom = (shared: SharedArrayBuffer): (() => Date) => {
  const moment = new Float64Array(shared)
  return () => {
    const [at = RUNNING] = moment
    return Number.isNaN(at) ? new Date() : new Date(at)
  }
}
