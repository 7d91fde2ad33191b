import { z } from 'zod'
import { type Refusal, refuse } from '../domain/kernel.ts'
import { AccountCode, BookId, Instant } from '../domain/ledger/events.ts'
import {
  Policies,
  PolicyTerms,
  policyEvents,
  RiskList,
  Rule,
  type RuleCondition,
  RuleName,
} from '../domain/policies.ts'
import { RISK_FEATURES } from '../domain/risk.ts'
import { type Command, command, type Enrichment } from './kernel.ts'
import { bookAsItStands } from './ledger/kernel.ts'

const Reason = z.string().trim().min(1).max(256)
const ByBook = { book: BookId }

const unknownBook = async ({ ports }: Enrichment, book: string): Promise<Refusal | undefined> => {
  const { revision } = await bookAsItStands(ports, book)
  return revision < 0 ? refuse('BOOK_NOT_FOUND', `There is no book ${book}.`) : undefined
}

/** Declares a command to the policy of a book that exists. */
const policyCommand = <Input extends z.ZodType<{ readonly book: string }>, Values, Answer>({
  enrich,
  ...declaration
}: Pick<Command<Input, Values, Answer>, 'name' | 'input' | 'enrich' | 'decide' | 'answer'>) =>
  command<Input, Values, Answer>({
    ...declaration,
    permission: 'risk:govern',
    decider: Policies,
    stream: ({ book }) => book,
    on: 'any',
    otherwise: 'BOOK_NOT_FOUND',
    ifMatch: 'stream',
    enrich: async (input, enrichment) =>
      (await unknownBook(enrichment, input.book)) ?? enrich(input, enrichment),
  })

const stampOf = ({ context, at }: Enrichment) => ({ set_by: context.actor.id, set_at: at })

/** Thresholds, what becomes of what cannot be scored, and the brake, all at once. */
export const setPolicy = policyCommand({
  name: 'policies.set',
  input: z.strictObject({ ...ByBook, ...PolicyTerms.shape }),
  enrich: (input, enrichment) => ({ ...input, ...stampOf(enrichment) }),
  decide: Policies.decide.setPolicy,
  answer: (_events, input) => input,
})

const numbers = new Set<string>([...RISK_FEATURES, 'probability'])

const isKnown = (condition: RuleCondition): boolean =>
  'starts_with' in condition || numbers.has(condition.field)

/** A rule beside the model; one of the same name is replaced. */
export const declareRule = policyCommand({
  name: 'policies.declare_rule',
  input: z.strictObject({ ...ByBook, rule: RuleName, ...Rule.omit({ name: true }).shape }),
  enrich: ({ book, rule: name, ...rest }, enrichment) => {
    const unknown = rest.when.find((condition) => !isKnown(condition))
    if (unknown) {
      const fields = [...numbers].join(', ')
      return refuse('RULE_FIELD_UNKNOWN', `${unknown.field} is none of ${fields}.`, {
        field: unknown.field,
      })
    }
    return { book, rule: { name, ...rest }, ...stampOf(enrichment) }
  },
  decide: Policies.decide.declareRule,
  answer: (_events, input) => input,
})

/** Keeps a rule silent until then; null lets it speak again. */
export const snoozeRule = policyCommand({
  name: 'policies.snooze_rule',
  input: z.strictObject(policyEvents.RiskRuleSnoozed.omit({ set_by: true, set_at: true }).shape),
  enrich: (input, enrichment) => ({ ...input, ...stampOf(enrichment) }),
  decide: Policies.decide.snoozeRule,
  answer: (_events, input) => input,
})

export const retireRule = policyCommand({
  name: 'policies.retire_rule',
  input: z.strictObject({ ...ByBook, rule: RuleName }),
  enrich: (input, enrichment) => ({ ...input, ...stampOf(enrichment) }),
  decide: Policies.decide.retireRule,
  answer: (_events, input) => input,
})

const OnList = { ...ByBook, list: RiskList }

/** Whoever pays from this account or to it is allowed, watched or blocked. */
export const listAccount = policyCommand({
  name: 'policies.list_account',
  input: z.strictObject({
    ...OnList,
    account: AccountCode,
    reason: Reason,
    until: Instant.nullable().default(null),
  }),
  enrich: (input, enrichment) => ({ ...input, ...stampOf(enrichment) }),
  decide: Policies.decide.listAccount,
  answer: (_events, input) => input,
})

export const unlistAccount = policyCommand({
  name: 'policies.unlist_account',
  input: z.strictObject({ ...OnList, account: AccountCode }),
  enrich: (input, enrichment) => ({ ...input, ...stampOf(enrichment) }),
  decide: Policies.decide.unlistAccount,
  answer: (_events, input) => input,
})
