/** The savings bank of the demo, in the same book as the cash machine: who works and saves there. */
import { bringForward, openDeposit } from '../../commands/deposits.ts'
import { addAsset } from '../../commands/ledger/index.ts'
import { importMember } from '../../commands/members.ts'
import { openPaymentAccounts } from '../../commands/payments/index.ts'
import type { SusuProduct } from '../../domain/deposits.ts'
import type { Role } from '../../domain/permissions.ts'
import type { Ask } from '../seed/ask.ts'

const book = 'main'
const asset = 'GHS/2'

type Member = {
  readonly username: string
  readonly name: string
  readonly role: Exclude<Role, 'system'>
  readonly phone: string
  /** Balances in pesewas, by product. */
  readonly accounts?: Partial<Record<SusuProduct, string>>
}

export const demoMembers: readonly Member[] = [
  { username: 'akosua', name: 'Akosua Mensah', role: 'manager', phone: '+233244000001' },
  { username: 'kofi', name: 'Kofi Boateng', role: 'cashier', phone: '+233244000002' },
  {
    ...{ username: 'ama', name: 'Ama Serwaa', role: 'customer', phone: '+233244000003' },
    accounts: { member_savings: '185000', daily_susu: '42000' },
  },
  {
    ...{ username: 'yaw', name: 'Yaw Owusu', role: 'customer', phone: '+233244000004' },
    accounts: { member_savings: '60000' },
  },
]

/** With what a member of the demo logs in. */
export const emailOf = ({ username }: Pick<Member, 'username'>): string =>
  `${username}@susu.example`

const openAccounts = async (
  ask: Ask,
  customer: string,
  { username, accounts }: Member,
  at: Date,
) => {
  for (const [product, amount] of Object.entries(accounts ?? {})) {
    const key = `savings-${username}-${product}`
    const wanted = { book, asset, customer, product: product as SusuProduct, velocity_limits: [] }
    const { account } = await ask(key, openDeposit, wanted, at)
    await ask(`${key}-balance`, bringForward, { book, account, amount }, at)
  }
}

/** Behind the machine, which opens the book. All members have the demo's password. */
export const openSavingsBank = async (ask: Ask, password: string, at: Date): Promise<void> => {
  await ask('savings-asset', addAsset, { book, asset }, at)
  await ask('savings-accounts', openPaymentAccounts, { book, asset }, at)
  for (const member of demoMembers) {
    const { username, name, role, phone } = member
    const person = { username, name, phone, email: emailOf(member), password, roles: [role] }
    const { user } = await ask(`savings-${username}`, importMember, person, at)
    await openAccounts(ask, user, member, at)
  }
}
