import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** How the parts of a running Daybook are reached, for commands beside it. Holds a password. */
const Running = z.object({
  pid: z.int(),
  eventStoreUrl: z.string(),
  databaseUrl: z.string(),
})
export type Running = z.infer<typeof Running>

const fileIn = (directory: string): string => join(directory, 'running.json')

export const writeRunning = (directory: string, running: Running): void =>
  writeFileSync(fileIn(directory), JSON.stringify(running), { mode: 0o600 })

export const clearRunning = (directory: string): void => rmSync(fileIn(directory), { force: true })

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The Daybook that runs on this data directory, if one does. */
export const findRunning = (directory: string): Running | undefined => {
  try {
    const running = Running.parse(JSON.parse(readFileSync(fileIn(directory), 'utf8')))
    return isAlive(running.pid) ? running : undefined
  } catch {
    return undefined
  }
}
