import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { route } from '../api/contract.ts'
import { createApplication } from '../api/kernel.ts'
import { createMetrics } from '../api/metrics.ts'
import { nativeDialect } from '../api/native/dialect.ts'
import type { Problem } from '../api/problems.ts'
import type { Services } from '../api/services.ts'
import { createThrottle } from '../api/throttle.ts'
import { FORM_BYTES, fileAnswer, pictures, UPLOAD_BYTES, upload } from '../api/uploads.ts'
import type { Upload } from '../domain/attachments.ts'
import { createAttachments } from '../infra/attachments.ts'
import { createMemoryPorts } from './support/memory.ts'

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

const input = z.object({ title: z.string(), image: upload(pictures) })

const keep = route('post', '/files', 'public', {
  ...{ tag: 'Files', summary: 'Keep', example: {}, response: z.unknown() },
  input,
  multipart: true,
  run: async ({ input: { title, image } }) => ({
    body: { title, name: image.name, type: image.type, bytes: image.bytes.byteLength },
  }),
})

const services = {
  ...{ ports: { clock: () => new Date() }, throttle: createThrottle(), bodyLimit_bytes: 1024 },
  ...{ rateLimit: 0, log: { debug: () => undefined, error: () => undefined } },
  newestWrite: () => 0n,
} as unknown as Services

const app = createApplication(
  [{ dialect: nativeDialect, routes: [keep] }],
  services,
  createMetrics(async () => ({})),
)

type Said = Partial<Problem>

const post = async (body: FormData | string, headers: Record<string, string> = {}) => {
  const response = await app.request('/files', { method: 'POST', body, headers })
  return { status: response.status, body: (await response.json()) as Said }
}

const formOf = (image: Uint8Array<ArrayBuffer> | string, name = 'front.png'): FormData => {
  const form = new FormData()
  form.append('title', 'a check')
  if (typeof image === 'string') form.append('image', image)
  else form.append('image', new Blob([image], { type: 'application/x-anything' }), name)
  return form
}

const padded = (length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  bytes.set(png)
  return bytes
}

describe('a form', () => {
  test('brings fields and files, whose first bytes say what they are', async () => {
    const { status, body } = await post(formOf(png, 'front.exe'))
    expect({ status, body }).toEqual({
      status: 200,
      body: { title: 'a check', name: 'front.exe', type: 'image/png', bytes: png.length },
    })
  })

  test('of a file as large as may be is taken, and of one byte more is refused', async () => {
    expect((await post(formOf(padded(UPLOAD_BYTES)))).status).toBe(200)
    const { status, body } = await post(formOf(padded(UPLOAD_BYTES + 1)))
    expect(status).toBe(400)
    expect(body.errors).toEqual([{ field: 'image', message: `may have ${UPLOAD_BYTES} bytes` }])
  })

  test('that is larger than a form may be is not read to its end', async () => {
    const { status, body } = await post('x'.repeat(FORM_BYTES + 1), {
      'Content-Type': 'multipart/form-data; boundary=x',
    })
    expect({ status, code: body.code }).toEqual({ status: 413, code: 'BODY_TOO_LARGE' })
  })

  test.each([
    ['another type', formOf(Buffer.from('%PDF-1.7\n%a page')), 'must be one of'],
    ['no known type', formOf(Buffer.from('<svg onload="alert(1)"/>')), 'must be one of'],
    ['nothing', formOf(new Uint8Array(0)), 'is empty'],
    ['text where a file belongs', formOf('front.png'), 'must be a file'],
  ])('is refused with %s', async (_name, form, message) => {
    const { status, body } = await post(form)
    expect(status).toBe(400)
    expect(body.errors?.[0]).toMatchObject({ field: 'image' })
    expect(body.detail).toContain(message)
  })

  test('that is none is malformed', async () => {
    const type = { 'Content-Type': 'multipart/form-data; boundary=none' }
    expect((await post('not a form', type)).body.code).toBe('MALFORMED_FORM')
    const unbounded = { 'Content-Type': 'multipart/form-data' }
    expect((await post('--\r\n', unbounded)).body.code).toBe('MALFORMED_FORM')
  })

  test('is not imitated in JSON', async () => {
    const text = JSON.stringify({
      title: 'a check',
      image: { name: 'x', type: 'image/png', bytes: { byteLength: 1 } },
    })
    const { body } = await post(text, { 'Content-Type': 'application/json' })
    expect(body.errors).toEqual([{ field: 'image', message: 'must be a file' }])
  })

  test('with a NUL in it is refused', async () => {
    const form = formOf(png)
    form.set('title', 'a\0b')
    expect((await post(form)).body.errors).toEqual([{ field: 'title', message: 'holds a NUL' }])
  })
})

test('a file is answered to be saved under its name, whatever is in that', async () => {
  const name = `a "b"\r\nSet-Cookie: x'(é).png`
  const { headers } = fileAnswer({ name, type: 'image/png', bytes: png })
  expect(headers?.['Content-Disposition']).toBe(
    "attachment; filename*=UTF-8''a%20%22b%22%0D%0ASet-Cookie%3A%20x%27%28%C3%A9%29.png",
  )
})

describe('an attachment', () => {
  let directory: string
  const file: Upload = { name: 'front.png', type: 'image/png', bytes: png }
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test('is found again by its name, and kept once however often it is sent', async () => {
    const attachments = createAttachments({ ports: createMemoryPorts(() => new Date()), directory })
    const kept = await attachments.keep('ada', file)
    expect(kept).toMatchObject({ media_type: 'image/png', bytes: png.length })
    expect(await attachments.keep('ada', file)).toEqual(kept)
    const found = await attachments.open('ada', kept.attachment)
    expect({ ...found, bytes: Buffer.from(found?.bytes ?? []) }).toEqual(file)
    const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    expect(files.filter((one) => one.isFile())).toHaveLength(1)
  })

  test('of one person is not another’s, and what is not there is not found', async () => {
    const attachments = createAttachments({ ports: createMemoryPorts(() => new Date()), directory })
    const [ada, bob] = [await attachments.keep('ada', file), await attachments.keep('bob', file)]
    expect(ada.attachment).not.toBe(bob.attachment)
    expect(await attachments.open('ada', 'A'.repeat(43))).toBeUndefined()
  })
})
