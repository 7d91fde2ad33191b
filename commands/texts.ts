import type { Enrichment } from './kernel.ts'

/**
 * A text about somebody as events keep it: sealed under his key. An empty one says nothing about
 * him and stays empty. A dry run leaves nothing behind, no key either.
 */
export const sealText = async (
  { ports, context }: Pick<Enrichment, 'ports' | 'context'>,
  subject: string,
  text: string,
): Promise<string> => (text === '' || context.dryRun ? '' : ports.vault.seal(subject, { text }))
