import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { masks } from '../api/coastal/masking.ts'

describe('personal data is masked', () => {
  test.each<readonly [keyof typeof masks, string, string]>([
    ['idNumber', 'GHA-123456789-0', 'GHA-*******89-0'],
    ['idNumber', 'G1234567', 'G***4567'],
    ['idNumber', '1234567890', '******7890'],
    ['idNumber', 'GHA-1234', '********'],
    ['idNumber', '', ''],
    ['phone', '+233244123456', '+233******456'],
    ['phone', '0244123456', '*******456'],
    ['phone', '+233456', '*******'],
    ['phone', '12', '**'],
    ['birthDate', '1992-05-15', '1992'],
    ['birthDate', 'May 1992', '********'],
    ['income', '2750.00', '2000-3000'],
    ['income', '999.99', '0-1000'],
    ['income', '3000', '3000-4000'],
    ['income', 'much', '****'],
    ['name', 'Ama Serwaa Mensah', 'A** S***** M*****'],
    ['name', 'Ékow', 'É***'],
    ['name', 'B', 'B'],
    ['name', '', ''],
    ['text', '12 Beach Road', 'XX XXXXX XXXX'],
  ])('%s: %j as %j', (kind, given, masked) => {
    expect(masks[kind](given)).toBe(masked)
  })

  test('and shows no more of what is masked again', () => {
    const kinds = [masks.idNumber, masks.phone, masks.name, masks.text]
    fc.assert(
      fc.property(fc.string(), (given) => {
        for (const mask of kinds) expect(mask(given)).toHaveLength(given.length)
      }),
    )
  })
})
