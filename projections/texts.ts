import type { Sealed, Vault } from '../domain/vault.ts'

/** Texts that commands have sealed, in the same order; null: the person has been forgotten. */
export const openTexts = async (
  vault: Vault,
  texts: readonly Sealed[],
): Promise<(string | null)[]> => {
  const opened = await vault.openAll(texts.filter(({ sealed }) => sealed !== ''))
  const next = opened.values()
  return texts.map(({ sealed }) => (sealed === '' ? '' : (next.next().value?.text ?? null)))
}
