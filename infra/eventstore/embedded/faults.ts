/**
 * What a test can make go wrong. All off by default; the server asks at each place where the
 * real world could fail in this way.
 */
export type Faults = {
  /** Answers every call as a follower would: go to that node. */
  notLeader: { readonly host: string; readonly port: number } | undefined
  /** Answers every call with UNAVAILABLE. */
  unavailable: boolean
  /** Takes this many appends, writes nothing and never answers them. */
  appendsToIgnore: number
  /** Writes this many appends durably and never answers them. */
  answersToLose: number
  /** Holds every append's answer back for so long after it is durable. */
  answerDelayMs: number
  /** Waits so long before each commit. */
  slowDiskMs: number
  /** Lets the file grow no further: SQLite itself then reports a full disk. */
  fullDisk: boolean
}

export function noFaults(): Faults {
  return {
    notLeader: undefined,
    unavailable: false,
    appendsToIgnore: 0,
    answersToLose: 0,
    answerDelayMs: 0,
    slowDiskMs: 0,
    fullDisk: false,
  }
}
