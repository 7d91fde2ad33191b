/** Who may import whom. Run on its own, it prints what breaks the rules and fails. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = resolve(import.meta.dirname, '../..')

type Rule = { readonly rooms: readonly string[]; readonly packages: readonly string[] | 'any' }

/** Of each room: the rooms it may look into, and what else it may use. */
const rules: Readonly<Record<string, Rule>> = {
  // Pure: hashing and calendars, and nothing that knows a clock, a disk or a network.
  domain: { rooms: ['domain'], packages: ['zod', 'node:crypto'] },
  commands: {
    rooms: ['domain', 'commands'],
    packages: ['zod', 'ulid', 'canonicalize', 'node:crypto'],
  },
  projections: {
    rooms: ['domain', 'projections'],
    packages: ['zod', 'pg', 'node:timers/promises'],
  },
  api: { rooms: ['domain', 'commands', 'projections', 'api'], packages: 'any' },
  ml: { rooms: ['domain', 'ml'], packages: 'any' },
  infra: {
    rooms: ['domain', 'commands', 'projections', 'api', 'ml', 'infra'],
    packages: 'any',
  },
}

// Line by line and at its beginning, so that text which only looks like an import is none.
const IMPORT =
  /^(?:import|export)\s(?:[^'"]*?\sfrom\s+)?'([^']+)'|(?:await |\()import\('([^']+)'\)/gm

const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, from, dynamic]) => from ?? dynamic ?? '')

const filesIn = (room: string): string[] =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(room, name))

const packageOf = (specifier: string): string =>
  specifier.startsWith('@') || specifier.startsWith('node:')
    ? specifier
    : (specifier.split('/')[0] ?? specifier)

const faultOf = (file: string, specifier: string, rule: Rule): string | undefined => {
  if (!specifier.startsWith('.')) {
    const allowed = rule.packages === 'any' || rule.packages.includes(packageOf(specifier))
    return allowed ? undefined : `${file} may not use ${specifier}`
  }
  const target = resolve(root, dirname(file), specifier)
  if (!existsSync(target)) return `${file} imports ${specifier}, which is not there`
  const path = relative(root, target)
  const room = path.split('/')[0] ?? ''
  return rule.rooms.includes(room) ? undefined : `${file} may not look into ${path}`
}

/** One line for each import that breaks a rule. */
export const findFaults = (): { readonly faults: string[]; readonly imports: number } => {
  const faults: string[] = []
  let imports = 0
  for (const [room, rule] of Object.entries(rules)) {
    for (const file of filesIn(room)) {
      for (const specifier of importsOf(join(root, file))) {
        imports += 1
        const fault = faultOf(file, specifier, rule)
        if (fault !== undefined) faults.push(fault)
      }
    }
  }
  return { faults, imports }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { faults, imports } = findFaults()
  process.stdout.write([...faults, `${imports} imports, ${faults.length} faults`, ''].join('\n'))
  process.exitCode = faults.length > 0 ? 1 : 0
}
