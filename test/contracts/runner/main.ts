/** `npm run cases`. Exit codes: 0 all passed, 1 failures, 2 misuse, 130 interrupted. */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { makeDirectory, removeDirectory, startDaybook } from '../../support/stack.ts'
import { playScenario } from './play.ts'
import { type CaseFile, findCaseFiles, labelOf, readCaseFile } from './read.ts'

const MISUSE = 2
const INTERRUPTED = 130

type Flags = { readonly baseUrl?: string; readonly only?: string }
type Unreadable = { readonly name: string; readonly reason: string }
type Tally = { readonly passed: number; readonly failed: number }

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const complain = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

const parseUrl = (text: string): string => {
  if (/^https?:\/\/[^/]/.test(text) && URL.canParse(text)) return text
  throw new InvalidArgumentError('expected an address such as http://127.0.0.1:8080')
}

/** Ends nothing at once: a Daybook that was started here is stopped first, within its own time. */
const onInterrupt = (): AbortSignal => {
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort())
  return stopping.signal
}

const readFile = (file: string): CaseFile | Unreadable => {
  try {
    return readCaseFile(file)
  } catch (error) {
    return { name: file, reason: messageOf(error) }
  }
}

const readPath = (path: string): (CaseFile | Unreadable)[] => {
  try {
    return findCaseFiles(path).map(readFile)
  } catch (error) {
    return [{ name: path, reason: messageOf(error) }]
  }
}

/** With `only`, the scenarios in whose name, as it is printed, that text occurs. */
const choose = (files: readonly CaseFile[], only = ''): CaseFile[] =>
  files
    .map((one) => ({
      ...one,
      scenarios: one.scenarios.filter(({ name }) => `${labelOf(one.file)}: ${name}`.includes(only)),
    }))
    .filter(({ scenarios }) => scenarios.length > 0)

const playAll = async (
  baseUrl: string,
  files: readonly CaseFile[],
  signal: AbortSignal,
): Promise<Tally> => {
  let passed = 0
  let failed = 0
  for (const { contract, file, scenarios } of files) {
    for (const scenario of scenarios) {
      const began = performance.now()
      const difference = await playScenario(baseUrl, contract, scenario, { signal })
      if (signal.aborted) return { passed, failed }
      const name = `${labelOf(file)}: ${scenario.name}`
      if (difference === undefined) {
        passed += 1
        say(`ok    ${name} (${Math.round(performance.now() - began)} ms)`)
      } else {
        failed += 1
        say(`FAIL  ${name}: ${difference}`)
      }
    }
  }
  return { passed, failed }
}

/** Starts a Daybook with a test door on a directory of its own, for as long as `work` takes. */
const withDaybook = async <Result>(work: (url: string) => Promise<Result>): Promise<Result> => {
  const directory = makeDirectory()
  try {
    const daybook = await startDaybook({ directory, env: { DAYBOOK_TEST: '1' } })
    return await work(daybook.url).finally(() => daybook.stop())
  } finally {
    removeDirectory(directory)
  }
}

/** Answers the exit code. That nothing was played is a failure too: nothing has been shown. */
const runCases = async (
  paths: readonly string[],
  { baseUrl, only }: Flags,
  signal: AbortSignal,
): Promise<number> => {
  const read = paths.flatMap(readPath)
  const unreadable = read.filter((one) => 'reason' in one)
  for (const { name, reason } of unreadable) say(`FAIL  ${name}: ${reason}`)
  const chosen = choose(
    read.filter((one) => 'scenarios' in one),
    only,
  )
  const play = (url: string): Promise<Tally> => playAll(url, chosen, signal)
  const none = { passed: 0, failed: 0 }
  const open = (): Promise<Tally> => (baseUrl === undefined ? withDaybook(play) : play(baseUrl))
  const { passed, failed } = chosen.length > 0 ? await open() : none
  if (chosen.length === 0 && only !== undefined) complain(`No scenario has ${only} in its name.`)
  say(`${passed} passed, ${failed + unreadable.length} failed`)
  return failed + unreadable.length > 0 || chosen.length === 0 ? 1 : 0
}

const describe = (perform: (paths: string[], flags: Flags) => Promise<void>): Command =>
  new Command('cases')
    .description('Plays contract cases over HTTP against a Daybook with a test door.')
    .exitOverride()
    .argument('<folder or file...>', 'case files, or folders with case files in them')
    .option('--base-url <url>', 'a Daybook that runs; without it, one is started', parseUrl)
    .option('--only <text>', 'only scenarios with this text in their printed name')
    .action(perform)

const run = async (): Promise<number> => {
  // Whoever reads only the beginning, `| head`, is no reason to leave anything running.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  const signal = onInterrupt()
  let code = 0
  const program = describe(async (paths, flags) => {
    code = await runCases(paths, flags, signal)
  })
  try {
    await program.parseAsync()
    return signal.aborted ? INTERRUPTED : code
  } catch (error) {
    if (signal.aborted) return INTERRUPTED
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSE
    complain(messageOf(error))
    return 1
  }
}

process.exit(await run())
