/** What there is, found rather than listed, so that a new module is under the laws at once. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, PublicCommand } from '../../commands/kernel.ts'
import { registryCommands } from '../../commands/registry.ts'
import { registries } from '../../domain/index.ts'

export type AnyCommand = Command | PublicCommand

const root = join(import.meta.dirname, '../../commands')

const isCommand = (value: unknown): value is AnyCommand =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  'input' in value &&
  ('decider' in value || 'run' in value)

/** Every declared command, by name. */
export const findCommands = async (): Promise<readonly AnyCommand[]> => {
  const found = new Map<string, AnyCommand>()
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue
    const exported: object = await import(join(root, name))
    for (const value of Object.values(exported)) if (isCommand(value)) found.set(value.name, value)
  }
  for (const registry of registries) {
    for (const value of Object.values(registryCommands(registry))) found.set(value.name, value)
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
