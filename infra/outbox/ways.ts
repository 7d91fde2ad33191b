/** The ways by which messages leave: SMTP, an SMS gateway, or none but the list of messages. */
import { createTransport } from 'nodemailer'
import type { Way } from '../../domain/outbox.ts'
import type { Config } from '../config.ts'
import { TRY_TIMEOUT_MS } from '../deliveries.ts'

export type Letter = {
  /** The same when a message is sent again, so that the receiver can tell. */
  readonly id: string
  readonly recipient: string
  readonly title: string
  readonly body: string
}

export type Sender = {
  readonly way: Way
  /** One try. Throws what a person can do something about. */
  send(letter: Letter, signal: AbortSignal): Promise<void>
}

/** Leaves the message where administrators read it. */
const local: Sender = { way: 'local', send: async () => undefined }

/** `smtps://user:password@host:465`; `smtp://` goes over to TLS when the server offers it. */
const overSmtp = (url: string, from: string): Sender => {
  const { hostname } = new URL(url)
  const transport = createTransport({
    url,
    // A body is text: it may name no file and no address to be fetched.
    ...{ disableFileAccess: true, disableUrlAccess: true },
    ...{ connectionTimeout: TRY_TIMEOUT_MS, greetingTimeout: TRY_TIMEOUT_MS },
    socketTimeout: TRY_TIMEOUT_MS,
  })
  return {
    way: 'smtp',
    send: async ({ id, recipient, title, body }, signal) => {
      await transport.sendMail({
        ...{ from, to: { name: '', address: recipient }, subject: title, text: body, signal },
        messageId: `<${id}@${hostname}>`,
      })
    },
  }
}

/** POSTs `{ id, to, message }` with a bearer token; any 2xx is a yes. */
const overSmsGateway = (url: string, token: string | undefined): Sender => ({
  way: 'sms_gateway',
  send: async ({ id, recipient, body }, signal) => {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal,
      headers: {
        'Content-Type': 'application/json',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ id, to: recipient, message: body }),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`the gateway answered ${response.status}`)
  },
})

export type Ways = Pick<Config, 'smtpUrl' | 'smtpFrom' | 'smsGatewayUrl' | 'smsGatewayToken'>

export const sendersOf = ({ smtpUrl, smtpFrom, smsGatewayUrl, smsGatewayToken }: Ways) => ({
  email: smtpUrl === undefined ? local : overSmtp(smtpUrl, smtpFrom),
  sms: smsGatewayUrl === undefined ? local : overSmsGateway(smsGatewayUrl, smsGatewayToken),
})
