/** The form of a case file. What it may not hold is an error that names it. */
import { z } from 'zod'

export const CONTRACTS = ['coastal', 'churn', 'chamahub', 'atm', 'repair'] as const
export type Contract = (typeof CONTRACTS)[number]

// For whoever reads the file.
const remarks = {
  note: z.unknown().optional(),
  notes: z.unknown().optional(),
  derived: z.unknown().optional(),
  verdict: z.unknown().optional(),
}

const Status = z.int().min(100).max(599)
const Count = z.int().min(0)
const Scalar = z.union([z.string(), z.number(), z.boolean()])
const Bound = z.union([z.number(), z.string()])
const Texts = z.array(z.string())

const byPath = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value)

export const Expectation = z.strictObject({
  status: Status.optional(),
  status_any_of: z.array(Status).min(1).optional(),
  status_not: Status.optional(),
  json_subset: z.unknown().optional(),
  json_present: Texts.optional(),
  json_absent: Texts.optional(),
  json_text_contains_ci: byPath(Scalar).optional(),
  json_array_length: byPath(Count).optional(),
  json_array_min_length: byPath(Count).optional(),
  json_range: byPath(z.tuple([Bound, Bound])).optional(),
  json_equals: byPath(z.unknown()).optional(),
  content_type_starts: z.string().optional(),
  first_line_contains: z.string().optional(),
  body_is: z.unknown().optional(),
  body_contains: z.array(Scalar).optional(),
  header_present: Texts.optional(),
  doc: z.unknown().optional(),
  ...remarks,
})

export type Expectation = z.infer<typeof Expectation>

const FilePart = z.strictObject({
  name: z.string(),
  filename: z.string(),
  content_type: z.string(),
  bytes_base64: z.base64(),
})

const Fields = z.record(z.string(), z.unknown())

const StepForm = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']),
  path: z.string().min(1),
  query: z.record(z.string(), z.union([Scalar, z.array(Scalar)])).optional(),
  headers: z.record(z.string(), Scalar).optional(),
  body: z.unknown().optional(),
  raw_body: z.string().optional(),
  multipart: z
    .strictObject({ fields: Fields.optional(), files: z.array(FilePart).optional() })
    .optional(),
  as: z.string().optional(),
  now: z.string().nullable().optional(),
  repeat: z.int().min(1).optional(),
  concurrent: z.int().min(1).optional(),
  expect: Expectation.optional(),
  expect_counts: z.record(z.string().regex(/^[1-5]\d\d$/), Count).optional(),
  doc: z
    .strictObject({ status: Status.optional(), error_code: z.string().optional(), ...remarks })
    .optional(),
  capture: z.record(z.string(), z.string()).optional(),
  ...remarks,
})

type StepForm = z.infer<typeof StepForm>

/** What of a step is sent. */
export const Request = StepForm.pick({
  method: true,
  path: true,
  query: true,
  headers: true,
  body: true,
  raw_body: true,
  multipart: true,
})

export type Request = z.infer<typeof Request>

const oneAtMost = (step: StepForm, names: readonly (keyof StepForm)[]): string | undefined => {
  const held = names.filter((name) => step[name] !== undefined && step[name] !== null)
  return held.length > 1 ? `${held.join(' and ')} exclude each other` : undefined
}

const statusFault = ({
  expect = {},
  expect_counts,
  doc,
  ...step
}: StepForm): string | undefined => {
  const claims = (['status', 'status_any_of', 'status_not'] as const).filter(
    (name) => expect[name] !== undefined,
  )
  if (claims.length > 1) return `${claims.join(' and ')} exclude each other`
  if (!expect_counts) {
    return claims.length === 1 || doc?.status !== undefined ? undefined : 'no status is expected'
  }
  if (!step.repeat && !step.concurrent) return 'expect_counts needs repeat or concurrent'
  const other = claims[0] ?? (doc?.status !== undefined ? 'doc.status' : undefined)
  return other === undefined ? undefined : `expect_counts and ${other} exclude each other`
}

const Step = StepForm.superRefine((step, context) => {
  const fault =
    oneAtMost(step, ['repeat', 'concurrent']) ??
    oneAtMost(step, ['body', 'raw_body', 'multipart']) ??
    statusFault(step)
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
})

export type Step = z.infer<typeof Step>

const Scenario = z.strictObject({
  name: z.string().min(1),
  given: z.record(z.string(), z.unknown()).optional(),
  steps: z.array(Step).min(1),
  in_document: z.boolean().optional(),
  doc: z.unknown().optional(),
  ...remarks,
})

export type Scenario = z.infer<typeof Scenario>

const Scenarios = z.array(Scenario).min(1)

/** The place of a fault as a reader looks for it: `scenario "withdraw", step 3, expect.status`. */
const placeOf = (data: unknown, [scenario, ...path]: readonly PropertyKey[]): string => {
  if (scenario === undefined) return 'the file'
  const one = Array.isArray(data) ? data[Number(scenario)] : undefined
  const name = typeof one?.name === 'string' ? `"${one.name}"` : Number(scenario) + 1
  const [field, step, ...rest] = path
  const inStep = field === 'steps' && step !== undefined
  const place = (inStep ? rest : path).join('.')
  return [`scenario ${name}`, inStep && `step ${Number(step) + 1}`, place]
    .filter(Boolean)
    .join(', ')
}

const faultOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys'
    ? `unknown ${issue.keys.length > 1 ? 'keys' : 'key'} ${issue.keys.join(', ')}`
    : issue.message

/** The scenarios of a case file's content. Throws what does not fit, and where. */
export const parseScenarios = (data: unknown): Scenario[] => {
  const parsed = Scenarios.safeParse(data)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(
    (issue) => `${placeOf(data, issue.path)}: ${faultOf(issue)}`,
  )
  throw new Error(faults.join('; '))
}
