import { join } from 'node:path'
import { StartError } from '../start/error.ts'
import type { Place } from './place.ts'

const signsOfDamage =
  /checkpoint record|pg_control|control file|invalid page|could not (open|read|stat) (file|directory)|could not access the server configuration|not a valid data directory|invalid (data|magic)/

/** What the last words of a postmaster or of initdb mean, as one line. `log` has all of them. */
export function explain(text: string, place: Place, port: number, log: string): StartError {
  if (/Address already in use/.test(text)) {
    return new StartError(`Port ${port} on 127.0.0.1 is taken, so Postgres cannot listen there.`)
  }
  if (/No space left on device/.test(text)) {
    return new StartError(`The disk that holds ${place.home} is full, so Postgres cannot start.`)
  }
  const message =
    /(?:PANIC|FATAL|postgres|initdb|error):\s+(.*)/.exec(text)?.[1] ?? 'it gave no reason'
  if (signsOfDamage.test(message) && !/Permission denied/.test(message)) {
    return damaged(join(place.home, 'cluster'), message)
  }
  return new StartError(`Postgres could not start: ${message} (more in ${log}).`)
}

/** What a fresh cluster means: read models follow from the events, the keys of people do not. */
export const startAfresh =
  'move it aside: the read models are built anew, but names sealed under its subject_keys are lost'

export function damaged(cluster: string, how: string): StartError {
  return new StartError(
    `The Postgres data in ${cluster} is damaged (${how}): restore it from a backup, or ` +
      `${startAfresh}.`,
  )
}
