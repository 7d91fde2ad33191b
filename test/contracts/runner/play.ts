/** Plays a scenario against a server, over HTTP and through its test door. */
import type { z } from 'zod'
import { give, lastSecret, reset, setClock } from './door.ts'
import { type Answer, countsDifference, expectationOf, firstDifference } from './expect.ts'
import { excerpt, lookUp } from './json_path.ts'
import { type LoggedIn, type LogIns, logIn, logIns } from './log_in.ts'
import { accessNames, fill, type Scope } from './placeholders.ts'
import { send, type Target } from './request.ts'
import { type Contract, Expectation, Request, type Scenario, type Step } from './scenario.ts'

type Play = {
  readonly target: Target
  readonly contract: Contract
  readonly scenario: Scenario
  readonly logIns: LogIns
}

/** What earlier steps have left for the later ones. */
type Stage = {
  readonly refs: Scope['refs']
  readonly captured: Scope['captured']
  readonly users: Readonly<Record<string, LoggedIn>>
  /** Where the clock stands; undefined while it runs. */
  readonly clock: Date | undefined
}

export type PlayOptions = {
  readonly logIns?: LogIns
  readonly signal?: AbortSignal
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

const scopeOf = ({ refs, captured, users, clock }: Stage): Scope => ({
  refs,
  captured,
  access: Object.fromEntries(Object.entries(users).map(([ref, { access }]) => [ref, access])),
  today: clock ?? new Date(),
})

const fillIn = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  scope: Scope,
): z.output<Schema> => {
  const parsed = schema.safeParse(fill(value, scope))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`with its placeholders filled in: ${faults.join('; ')}`)
}

/** The notes of `given` are for readers, and name placeholders in prose. */
const givenOf = ({ given = {} }: Scenario, scope: Scope): unknown => {
  const { notes, ...state } = given
  return { ...(fill(state, scope) as object), ...(notes !== undefined && { notes }) }
}

const timeOf = (now: unknown): Date => {
  const time = new Date(String(now))
  if (Number.isNaN(time.getTime())) throw new Error(`now is not a time: ${now}`)
  return time
}

/** Whoever was logged in logs in again: a token may be worth nothing at another time. */
const turnClock = async ({ target }: Play, stage: Stage, { now }: Step): Promise<Stage> => {
  if (now === undefined) return stage
  if (now === null) {
    await setClock(target, null)
    return { ...stage, users: {}, clock: undefined }
  }
  const filled = fill(now, scopeOf(stage))
  const clock = timeOf(filled)
  await setClock(target, String(filled))
  return { ...stage, users: {}, clock }
}

const requestOf = ({ method, path, query, headers, body, raw_body, multipart }: Step): Request => ({
  method,
  path,
  query,
  headers,
  body,
  raw_body,
  multipart,
})

const admit = async (play: Play, stage: Stage, step: Step): Promise<Stage> => {
  const { target, contract, scenario, logIns: doors } = play
  const asked = [
    ...(step.as === undefined ? [] : [step.as]),
    ...accessNames([requestOf(step), expectationOf(step)]),
  ]
  const users: Record<string, LoggedIn> = { ...stage.users }
  for (const ref of asked) {
    users[ref] ??= await logIn(target.baseUrl, contract, scenario, ref, doors)
  }
  return { ...stage, users }
}

/** Of a step that types the code which somebody was sent, and no step has read: what that is. */
const readCode = async ({ target }: Play, stage: Stage, step: Step): Promise<Stage> => {
  if (stage.captured.otp !== undefined) return stage
  if (!/\{\{\s*otp\s*\}\}/.test(JSON.stringify(requestOf(step)))) return stage
  return { ...stage, captured: { ...stage.captured, otp: await lastSecret(target) } }
}

/** All answers of a step: one, or as many as it repeats or has at once. */
const answersTo = async (play: Play, stage: Stage, step: Step): Promise<Answer[]> => {
  const request = fillIn(Request, requestOf(step), scopeOf(stage))
  const added = step.as === undefined ? {} : (stage.users[step.as]?.headers ?? {})
  const once = (): Promise<Answer> => send(play.target, request, added)
  if (step.concurrent) {
    const sent = Array.from({ length: step.concurrent }, once)
    // Even when one of them fails, none may be under way any more when the next scenario begins.
    await Promise.allSettled(sent)
    return Promise.all(sent)
  }
  const answers: Answer[] = []
  for (let count = step.repeat ?? 1; count > 0; count -= 1) answers.push(await once())
  return answers
}

/** Throws the first difference. */
const compare = (stage: Stage, step: Step, answers: readonly Answer[]): void => {
  const counts = step.expect_counts && countsDifference(step.expect_counts, answers)
  if (counts !== undefined) throw new Error(counts)
  const expected = fillIn(Expectation, expectationOf(step), scopeOf(stage))
  for (const [index, answer] of answers.entries()) {
    const difference = firstDifference(expected, answer)
    if (difference === undefined) continue
    const which = answers.length > 1 ? `answer ${index + 1} of ${answers.length}: ` : ''
    throw new Error(`${which}${difference}: ${excerpt(answer.text)}`)
  }
}

const capture = (stage: Stage, step: Step, answer: Answer | undefined): Stage => {
  const captured: Record<string, unknown> = { ...stage.captured }
  for (const [name, path] of Object.entries(step.capture ?? {})) {
    const value = lookUp(answer?.json, path)
    if (value !== undefined) captured[name] = value
    else throw new Error(`nothing to capture at ${path}: ${excerpt(answer?.text ?? '')}`)
  }
  return { ...stage, captured }
}

const playStep = async (play: Play, before: Stage, step: Step): Promise<Stage> => {
  const stage = await admit(play, await turnClock(play, before, step), step)
  const answers = await answersTo(play, await readCode(play, stage, step), step)
  compare(stage, step, answers)
  return capture(stage, step, answers.at(-1))
}

const raiseCurtain = async ({ target, contract, scenario }: Play): Promise<Stage> => {
  const bare: Stage = { refs: {}, captured: {}, users: {}, clock: undefined }
  await reset(target)
  if (!scenario.given) return bare
  const refs = await give(target, contract, givenOf(scenario, scopeOf(bare)))
  return { ...bare, refs }
}

/** Answers the first difference as one line, or nothing when everything is as expected. */
export const playScenario = async (
  baseUrl: string,
  contract: Contract,
  scenario: Scenario,
  options: PlayOptions = {},
): Promise<string | undefined> => {
  const target = { baseUrl: baseUrl.replace(/\/$/, ''), signal: options.signal }
  const play: Play = { target, contract, scenario, logIns: options.logIns ?? logIns }
  let place = 'before the steps'
  try {
    let stage = await raiseCurtain(play)
    for (const [index, step] of scenario.steps.entries()) {
      place = `step ${index + 1} ${step.method} ${step.path}`
      stage = await playStep(play, stage, step)
    }
    return undefined
  } catch (error) {
    return `${place}: ${messageOf(error)}`
  }
}
