import { z } from 'zod'

/** As somebody types it. */
export const GivenPin = z.string().regex(/^\d{4,6}$/, 'a PIN is 4 to 6 digits')

const isRun = (pin: string, step: 1 | -1): boolean =>
  [...pin].every((digit, index) => index === 0 || Number(digit) === Number(pin[index - 1]) + step)

/** Not one digit repeated, and no run up or down (PIN rules of the cash machine's document). */
export const NewPin = GivenPin.refine(
  (pin) => new Set(pin).size > 1,
  'a PIN is not one digit repeated',
).refine((pin) => !isRun(pin, 1) && !isRun(pin, -1), 'a PIN is no run of digits, up or down')

/** Those that a thief tries first and the rules above let through. */
const common = new Set(['1357', '2468', '1212', '1313', '1122', '2580', '6969', '1010'])

export const tooCommon = (pin: string): boolean => common.has(pin)
