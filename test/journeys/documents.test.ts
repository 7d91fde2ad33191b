import { describe, expect, test } from 'vitest'
import { contracts } from '../../api/index.ts'
import { createClient } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook()

describe('a server without DAYBOOK_TEST', () => {
  test.each(['reset', 'given', 'clock'])('has no /test/%s', async (name) => {
    const client = createClient(daybook.url)
    for (const method of ['POST', 'GET']) {
      const { status, body } = await client.send(method, `/test/${name}`)
      expect([status, body.code]).toEqual([404, 'ROUTE_NOT_FOUND'])
    }
  })
})

describe('the documents', () => {
  const read = async (path: string) => {
    const { status, headers, body } = await createClient(daybook.url).get(path)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json'])
    return body
  }

  test('of everything has every route of every contract, and not the test door', async () => {
    const everything = await read('/openapi.json')
    expect(everything.openapi).toBe('3.1.0')
    for (const { routes } of contracts) {
      for (const { method, path } of routes) {
        expect([path, everything.paths[path]?.[method]]).toEqual([path, expect.any(Object)])
      }
    }
    expect(JSON.stringify(everything)).not.toContain('/test/')
  })

  test('of the cash machine has its session and its errors, and nothing of the others', async () => {
    const { info, paths, components } = await read('/openapi/atm.json')
    expect(info).toMatchObject({ title: 'Cash machine', version: '1.0.0' })
    expect(Object.keys(paths).filter((path) => !/^\/(health|api\/v1)/.test(path))).toEqual([])
    expect(components.securitySchemes).toMatchObject({
      session: { type: 'apiKey', in: 'header', name: 'X-Session-ID' },
    })
    expect(Object.keys(components.securitySchemes)).toEqual(['session'])
    expect(components.schemas.AtmError.required).toEqual(['error', 'detail', 'error_code'])
    expect(components.schemas).not.toHaveProperty('Problem')
  })

  test('of the cash machine say who must have a session, and what can go wrong', async () => {
    const { paths } = await read('/openapi/atm.json')
    const { post: logIn } = paths['/api/v1/auth/login']
    const { post: withdraw } = paths['/api/v1/transactions/withdraw']
    expect(logIn.security).toBeUndefined()
    expect(withdraw.security).toEqual([{ session: [] }])
    const schema = { $ref: '#/components/schemas/AtmError' }
    for (const status of ['400', '401', '403', '422', '429']) {
      expect(withdraw.responses[status].content).toEqual({ 'application/json': { schema } })
    }
    expect(withdraw.responses['400'].description).toContain('TXN_INSUFFICIENT_FUNDS')
    expect(withdraw.responses['401'].description).toContain('AUTH_SESSION_INVALID')
    expect(logIn.responses['403'].description).toContain('AUTH_ACCOUNT_LOCKED')
  })

  test('of the native API is one of its own too', async () => {
    const { components, paths } = await read('/openapi/native.json')
    expect(Object.keys(components.securitySchemes)).toEqual(['bearer'])
    expect(Object.keys(paths).filter((path) => !path.startsWith('/v1/'))).toEqual([])
    expect((await createClient(daybook.url).get('/openapi/nothing.json')).status).toBe(404)
  })
})
