/** Commands beside a Daybook, running or not. Exit codes: 0 fine, 1 differences or failure, 2 misuse. */
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { BookId } from '../../domain/ledger/events.ts'
import { ModelFamily } from '../../domain/models.ts'
import { type Config, ConfigurationError, readConfig } from '../config.ts'
import { StartError } from '../start/error.ts'
import { type DeadLetterFlags, runListDeadLetters, runReplayDeadLetters } from './dead_letters.ts'
import { runImportBank } from './import.ts'
import { runAddModel } from './models.ts'
import { chooseProjections, projectionNames, runRebuild } from './rebuild.ts'
import { type ReplayFlags, runReplay } from './replay.ts'
import { runStatus } from './status.ts'
import { runVerify } from './verify.ts'

const MISUSE = 2
const INTERRUPTED = 130

/** What a shell expects of a command that Ctrl-C has ended; the second one ends it at once. */
const onInterrupt = (): AbortSignal => {
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(INTERRUPTED)
      stopping.abort()
    })
  }
  return stopping.signal
}

const parseBook = (text: string): string => {
  const book = BookId.safeParse(text)
  if (book.success) return book.data
  throw new InvalidArgumentError(book.error.issues[0]?.message ?? '')
}

const parseMoment = (text: string): string => {
  if (/^\d{1,20}$/.test(text)) return text
  const instant = z.iso.datetime({ offset: true }).safeParse(text)
  if (instant.success) return new Date(instant.data).toISOString()
  throw new InvalidArgumentError('expected a time such as 2026-01-31T23:59:59Z, or a log position')
}

const parseProjections = (name: string) => {
  const chosen = chooseProjections(name)
  if (chosen.length > 0) return chosen
  throw new InvalidArgumentError(`expected all, or one of ${projectionNames()}`)
}

const parseCount = (text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a whole number above zero')
}

type Work = (config: Config, signal: AbortSignal) => Promise<number>

const describe = (perform: (work: Work) => Promise<void>): Command => {
  const program = new Command('daybook')
    .description('Proves, replays, rebuilds and fills a Daybook. Configured like npm start.')
    .exitOverride()
  program
    .command('verify')
    .description('fold the whole log again and compare the read models with it, row by row')
    .option('--json', 'the report as JSON')
    .action((flags) => perform((config, signal) => runVerify(config, flags, signal)))
  program
    .command('replay')
    .description('fold history into balances, without the read models')
    .option('--at <time|position>', 'as of this ISO time or log position', parseMoment)
    .option('--book <book>', 'of one book', parseBook)
    .option('--account <code>', 'of one account')
    .option('--json', 'the balances as JSON, in minor units')
    .action((flags: ReplayFlags) => perform((config, signal) => runReplay(config, flags, signal)))
  program
    .command('rebuild')
    .description('build a read model anew beside the present one, and put it in its place')
    .argument('<projection|all>', projectionNames(), parseProjections)
    .action((chosen) => perform((config, signal) => runRebuild(config, chosen, signal)))
  program
    .command('status')
    .description('how far each read model has come')
    .action(() => perform((config) => runStatus(config)))
  program
    .command('dead-letters')
    .description('what consumers of the bus could not handle: show it, or publish it again')
    .addArgument(new Argument('[action]').choices(['list', 'replay']).default('list'))
    .option('--topic <topic>', 'of this topic, such as daybook.ledger; without it, of all')
    .option('--limit <n>', 'at most so many; list shows 100 without it', parseCount)
    .option('--all', 'list those that were replayed, too')
    .action((action: 'list' | 'replay', flags: DeadLetterFlags) => {
      const work = action === 'list' ? runListDeadLetters : runReplayDeadLetters
      return perform((config, signal) => work(config, flags, signal))
    })
  const models = program.command('models').description('models that score')
  models
    .command('add')
    .description('keep an ONNX file as a model, to challenge the present one or to replace it')
    .addArgument(new Argument('<family>').choices(ModelFamily.options))
    .argument('<file>', 'what `npm run train` wrote')
    .action((family: ModelFamily, file: string) =>
      perform((config) => runAddModel(config, family, file)),
    )
  const importing = program.command('import').description('load data from elsewhere')
  importing
    .command('bank')
    .description('post the transactions of a CSV file and compare every balance with the bank')
    .argument('<file>', 'a CSV, or a CSV.gz, as docs/import-bank.md describes it')
    .option('--book <book>', 'the book to post to, opened if it is not there', parseBook, 'czech')
    .action((file, flags) =>
      perform((config, signal) => runImportBank(config, file, flags, signal)),
    )
  return program
}

const codeOf = (error: unknown, signal: AbortSignal): number => {
  if (signal.aborted) return INTERRUPTED
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSE
  if (error instanceof ConfigurationError) {
    console.error(error.message)
    return MISUSE
  }
  console.error(error instanceof StartError ? error.line : error)
  return 1
}

const run = async (): Promise<number> => {
  // Whoever reads only the beginning, `| head`, is no reason to leave anything running.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  const signal = onInterrupt()
  let code = 0
  const program = describe(async (work) => {
    code = await work(readConfig(process.env), signal)
  })
  try {
    await program.parseAsync()
    return signal.aborted ? INTERRUPTED : code
  } catch (error) {
    return codeOf(error, signal)
  }
}

process.exit(await run())
