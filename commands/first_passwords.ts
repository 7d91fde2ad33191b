import type { Ports } from './ports.ts'

/** Without those that are easily taken for one another. */
const kinds = [
  'ABCDEFGHJKLMNPQRSTUVWXYZ',
  'abcdefghijkmnpqrstuvwxyz',
  '23456789',
  '#%+=?@',
] as const
const PASSWORD_LENGTH = 12

/**
 * Made of the new user's random id under a key that only the server has: nobody can guess it, and
 * the same request made again gives the same. A character of each kind, and then of any.
 */
export const firstPasswordOf = ({ secrets }: Pick<Ports, 'secrets'>, user: string): string => {
  const random = Buffer.from(secrets.claim('first password', user), 'base64url')
  const pick = (characters: string, index: number) =>
    characters.charAt((random[index] ?? 0) % characters.length)
  const all = kinds.join('')
  return Array.from({ length: PASSWORD_LENGTH }, (_, index) =>
    pick(kinds[index] ?? all, index),
  ).join('')
}
