import type { Database } from '../../projections/table.ts'
import { createHub, followConversations } from './hub.ts'
import { type MailOptions, startMails } from './mails.ts'

/** Those who are in rooms now, what they hear of the log, and mails to those who are not there. */
export const startChat = (options: Omit<MailOptions, 'hub'> & { readonly database: Database }) => {
  const hub = createHub()
  const mails = startMails({ ...options, hub })
  const ended = followConversations({ ...options, hub })
  return { hub, tellOf: mails.tellOf, settled: mails.settled, ended }
}
