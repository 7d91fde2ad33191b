import { demoMachine } from './machine.ts'
import { type DemoRecord, passwordOf } from './record.ts'
import { demoMembers, emailOf } from './savings.ts'

type Occasion = {
  readonly url: string
  readonly demo: DemoRecord | undefined
  /** Where the log-ins are kept. */
  readonly directory: string
  readonly hasAdministrator: boolean
  readonly colours: boolean
}

const INDENT = '  '
const NAME_WIDTH = 14

const painter = (colours: boolean) => {
  const paint = (code: number) => (text: string) =>
    colours ? `\u001b[${code}m${text}\u001b[0m` : text
  return { bold: paint(1), dim: paint(2), blue: paint(36) }
}

const row = (name: string, text: string): string => `${INDENT}${name.padEnd(NAME_WIDTH)}${text}`

/** Customers by their names, the others by their roles: the role is the username. */
const logInLines = (demo: DemoRecord, directory: string): string[] => {
  return [
    row('Log in as', demo.log_ins.map(({ username }) => username).join(' ')),
    row('Password', `${passwordOf(demo)}  (POST /v1/tokens; kept in ${directory}/demo.json)`),
  ]
}

/** Moves 12.50 between the two customers who can log in. */
const transferLines = (url: string, { api_key, log_ins }: DemoRecord): string[] => {
  const [from, to] = log_ins
    .filter(({ role }) => role === 'customer')
    .map(({ user }) => `${user.replace('customer-', 'customers:')}:checking`)
  const body = JSON.stringify({ from, to, amount: '1250', description: 'Lunch' })
  return [
    `curl ${url}/v1/books/demo/transfers \\`,
    `  -H 'Authorization: Bearer ${api_key}' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${body}'`,
  ]
}

/** A machine's customer of the demo bank: her card and PIN. */
const cardLines = (url: string): string[] => {
  const [alice] = demoMachine.customers
  const [card] = alice?.cards ?? []
  const body = JSON.stringify({ card_number: card?.card_number, pin: card?.pin })
  return [`curl ${url}/api/v1/auth/login -H 'Content-Type: application/json' \\`, `  -d '${body}'`]
}

/** Who saves at the bank: her e-mail address, which brings cookies. */
const memberLines = (url: string, demo: DemoRecord): string[] => {
  const saver = demoMembers.find(({ role }) => role === 'customer')
  const body = JSON.stringify({ email: saver && emailOf(saver), password: passwordOf(demo) })
  return [
    `curl -c jar ${url}/api/users/auth/login/ -H 'Content-Type: application/json' \\`,
    `  -d '${body}' && curl -b jar ${url}/api/accounts/`,
  ]
}

const adviceWithout = (hasAdministrator: boolean): string =>
  hasAdministrator
    ? 'Log in with POST /v1/tokens as the administrator of ADMIN_USERNAME.'
    : 'Nobody can log in yet: start again with ADMIN_USERNAME and ADMIN_PASSWORD.'

/** What is printed when everything runs: where it is, who can log in, what to try. */
export const welcome = (occasion: Occasion): string => {
  const { url, demo, directory, hasAdministrator, colours } = occasion
  const { bold, dim, blue } = painter(colours)
  const places = [
    '',
    `${bold('Daybook runs')} at ${blue(url)}`,
    '',
    row('API docs', blue(`${url}/docs`)),
    row('OpenAPI', blue(`${url}/openapi.json`)),
    row('Score stream', blue(`${url}/v1/risk/scores/stream`)),
  ]
  const stop = dim(`${INDENT}Ctrl-C stops it; the data stays in ${directory}.`)
  if (!demo?.complete) {
    return [...places, '', `${INDENT}${adviceWithout(hasAdministrator)}`, stop, ''].join('\n')
  }
  return [
    ...places,
    ...logInLines(demo, directory),
    '',
    bold('Move some money:'),
    '',
    ...transferLines(url, demo),
    '',
    bold('Or go to the cash machine:'),
    '',
    ...cardLines(url),
    '',
    bold('Or to the savings bank:'),
    '',
    ...memberLines(url, demo),
    '',
    `${bold('Then prove that everything still adds up:')} npm run daybook -- verify`,
    stop,
    '',
  ].join('\n')
}
