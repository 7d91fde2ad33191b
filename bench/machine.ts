import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { percentile } from './statistics.ts'

const SYNCS = 300
const PAGE = Buffer.alloc(4096, 1)

/** How long 4 KiB appended to a file take to be on the disk, in ms: the floor of every commit. */
const syncTimes = (directory: string): number[] => {
  const path = join(directory, 'sync-probe')
  const file = openSync(path, 'a')
  try {
    return Array.from({ length: SYNCS }, () => {
      const began = performance.now()
      writeSync(file, PAGE)
      fdatasyncSync(file)
      return performance.now() - began
    })
  } finally {
    closeSync(file)
    rmSync(path)
  }
}

/** What the figures were measured on, a line each. */
export const describeMachine = (directory: string): string[] => {
  const syncs = syncTimes(directory)
  const memory_gib = totalmem() / 2 ** 30
  return [
    `date      ${new Date().toISOString()}`,
    `CPU       ${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
    `memory    ${memory_gib.toFixed(1)} GiB`,
    `system    ${type()} ${release()}, Node ${process.version}`,
    `fdatasync p50 ${percentile(syncs, 0.5).toFixed(2)} ms, p99 ${percentile(syncs, 0.99).toFixed(2)} ms (4 KiB, ${directory})`,
    `load      ${loadavg()[0]?.toFixed(2)} before the start`,
  ]
}

type Ticks = { readonly busy: number; readonly all: number }

const ticks = (): Ticks => {
  let busy = 0
  let all = 0
  for (const { times } of cpus()) {
    const { idle, ...rest } = times
    const working = Object.values(rest).reduce((sum, time) => sum + time, 0)
    busy += working
    all += working + idle
  }
  return { busy, all }
}

export type Effort = {
  /** 0 to 1: how much of all cores was used by anybody on the machine. */
  readonly machine: number
  /** Cores that the benchmark itself used to make the load. */
  readonly generator_cores: number
  readonly load: number
}

/** Begins to watch how busy the machine is; the answer tells it for the time since. */
export const watchEffort = (): (() => Effort) => {
  const before = ticks()
  const own = process.cpuUsage()
  const began = performance.now()
  return () => {
    const after = ticks()
    const { user, system } = process.cpuUsage(own)
    return {
      machine: (after.busy - before.busy) / Math.max(1, after.all - before.all),
      generator_cores: (user + system) / 1000 / (performance.now() - began),
      load: loadavg()[0] ?? 0,
    }
  }
}
