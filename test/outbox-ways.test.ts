import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Sender, sendersOf } from '../infra/outbox/ways.ts'
import { outboxBook } from '../projections/outbox.ts'
import { gateway, listening, messageFor, openOutbox, ways } from './outbox-support.ts'
import { useWorld } from './people-support.ts'

const world = useWorld()

describe('an SMS gateway', () => {
  test('is sent id, number and text, with its token', async () => {
    const { seen, senders } = await gateway(202)
    const { queue, settled, stateOf } = await openOutbox(world, senders)
    const message = messageFor()
    await queue(message)
    await settled()
    const body = { id: message.message, to: '+233244123456', message: message.body }
    expect(seen).toEqual([{ authorization: 'Bearer secret', body }])
    const outcome = { status: 'delivered', way: 'sms_gateway', tries: 1 }
    expect(await stateOf(message.message)).toMatchObject(outcome)
  })

  test('is asked again when it fails, with the same id', async () => {
    const { seen, senders } = await gateway(500, 503, 200)
    const { queue, settled, stateOf } = await openOutbox(world, senders)
    const message = messageFor()
    await queue(message)
    await settled()
    expect(seen.map(({ body }) => (body as { id: string }).id)).toEqual(
      Array.from({ length: 3 }, () => message.message),
    )
    expect(await stateOf(message.message)).toMatchObject({ status: 'delivered', tries: 3 })
  })

  test('that sends elsewhere is not followed, and given up after three tries', async () => {
    const { seen, senders } = await gateway(302)
    const { queue, settled, stateOf } = await openOutbox(world, senders)
    const message = messageFor()
    await queue(message)
    await settled()
    expect(seen).toHaveLength(3)
    const outcome = { status: 'failed', tries: 3, error: expect.stringMatching(/redirect/) }
    expect(await stateOf(message.message)).toMatchObject(outcome)
  })

  test('that never answers is left when the process ends; the next one sends', async () => {
    const asked = Promise.withResolvers<void>()
    const url = await listening(() => asked.resolve())
    const first = await openOutbox(world, sendersOf({ ...ways, smsGatewayUrl: url }))
    const message = messageFor()
    await first.queue(message)
    await asked.promise
    first.stop()
    await first.settled()
    expect(await first.stateOf(message.message)).toMatchObject({ status: 'queued', events: 1 })

    const told = Promise.withResolvers<string>()
    const sms: Sender = { way: 'local', send: async ({ id }) => told.resolve(id) }
    const caughtUp = await world.project([outboxBook])
    await caughtUp(await world.ports.store.head())
    const second = await openOutbox(world, { ...sendersOf(ways), sms })
    expect(await told.promise).toBe(message.message)
    await second.settled()
    expect(await second.stateOf(message.message)).toMatchObject({ status: 'delivered', events: 2 })
  })
})

describe('an SMTP server', () => {
  const mailServer = async (refused: readonly string[] = []) => {
    const mails: { from: string; to: string; text: string; user: unknown }[] = []
    const server = new SMTPServer({
      ...{ disabledCommands: ['STARTTLS'], allowInsecureAuth: true, logger: false },
      onAuth: ({ username, password }, _session, done) =>
        done(password === 'pass' ? null : new Error('no'), { user: username }),
      onRcptTo: ({ address }, _session, done) =>
        done(refused.includes(address) ? new Error('no such mailbox') : null),
      onData: (stream, { envelope, user }, done) => {
        let text = ''
        stream.on('data', (chunk) => {
          text += chunk
        })
        stream.on('end', () => {
          const from = envelope.mailFrom ? envelope.mailFrom.address : ''
          mails.push({ from, to: envelope.rcptTo[0]?.address ?? '', text, user })
          done()
        })
      },
    })
    server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
    onTestFinished(() => server.close())
    const { port } = server.server.address() as AddressInfo
    return { mails, smtpUrl: `smtp://user:pass@127.0.0.1:${port}` }
  }
  const letter = { channel: 'email', recipient: 'ama@example.com' } as const

  test('takes an e-mail, from whom it is configured to be', async () => {
    const { mails, smtpUrl } = await mailServer()
    const { queue, settled, stateOf } = await openOutbox(world, sendersOf({ ...ways, smtpUrl }))
    const message = messageFor({ ...letter, title: 'Your code', body: 'It is 1.\n.\nReally.' })
    await queue(message)
    await settled()
    const [mail] = mails
    expect(mail).toMatchObject({ from: 'bank@example.com', to: 'ama@example.com', user: 'user' })
    expect(mail?.text).toContain('Subject: Your code')
    expect(mail?.text).toContain(`Message-ID: <${message.message}@127.0.0.1>`)
    expect(mail?.text).toContain('It is 1.\r\n.\r\nReally.')
    const outcome = { status: 'delivered', way: 'smtp', tries: 1 }
    expect(await stateOf(message.message)).toMatchObject(outcome)
  })

  test('gets one recipient, whatever stands in his address', async () => {
    const { mails, smtpUrl } = await mailServer()
    const { queue, settled } = await openOutbox(world, sendersOf({ ...ways, smtpUrl }))
    const recipient = 'ama@example.com\r\nBcc: eve@example.com, eve@example.com'
    await queue(messageFor({ ...letter, recipient, title: 'A\r\nBcc: eve@example.com' }))
    await settled()
    expect(mails.filter(({ to, text }) => to === 'eve@example.com' || /^Bcc/m.test(text))).toEqual(
      [],
    )
  })

  test('that refuses the recipient is given up, and says why', async () => {
    const { smtpUrl } = await mailServer(['gone@example.com'])
    const { queue, settled, stateOf } = await openOutbox(world, sendersOf({ ...ways, smtpUrl }))
    const message = messageFor({ ...letter, recipient: 'gone@example.com' })
    await queue(message)
    await settled()
    const outcome = {
      status: 'failed',
      tries: 3,
      error: expect.stringContaining('no such mailbox'),
    }
    expect(await stateOf(message.message)).toMatchObject(outcome)
  })
})
