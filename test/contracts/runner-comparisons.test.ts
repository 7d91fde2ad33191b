import { describe, expect, it } from 'vitest'
import { type Answer, countsDifference, expectationOf, firstDifference } from './runner/expect.ts'
import { accessNames, fill } from './runner/placeholders.ts'
import type { Expectation, Step } from './runner/scenario.ts'

const BODY = {
  message: 'Card is Locked',
  amount: 5,
  price: '12.50',
  next: null,
  day: '2026-02-10',
  account: { balance: '$1.00', open: true },
  items: [{ id: 1, tags: ['a', 'b'] }, { id: 2, tags: [] }, { id: 3 }],
}

const answerOf = (text: string, type: string, status = 200): Answer => {
  const json = type === 'application/json' ? JSON.parse(text) : undefined
  return { status, headers: new Headers({ 'Content-Type': type, ETag: 'x' }), text, json }
}

const json = answerOf(JSON.stringify(BODY), 'application/json')
const csv = answerOf('$id,name\r\n1,Ada\r\n', 'text/csv; charset=utf-8')

type Row = readonly [string, Expectation, string | undefined]

const statuses: Row[] = [
  ['status', { status: 200 }, undefined],
  ['status', { status: 201 }, 'status 200, expected 201'],
  ['status_any_of', { status_any_of: [403, 200] }, undefined],
  ['status_any_of', { status_any_of: [401, 403] }, 'status 200, expected one of 401, 403'],
  ['status_not', { status_not: 500 }, undefined],
  ['status_not', { status_not: 200 }, 'status 200, expected any other'],
]

const subsets: Row[] = [
  ['fields', { json_subset: { account: { open: true }, next: null } }, undefined],
  [
    'a field',
    { json_subset: { account: { open: false } } },
    'account.open: found true, expected false',
  ],
  ['null', { json_subset: { gone: null } }, 'gone: found nothing, expected null'],
  ['no text for a number', { json_subset: { amount: '5' } }, 'amount: found 5, expected "5"'],
  ['an object', { json_subset: { next: {} } }, 'next: found null, expected {}'],
  ['items in order', { json_subset: { items: [{ id: 1 }, { id: 3 }] } }, undefined],
  ['nested items', { json_subset: { items: [{ tags: ['b'] }] } }, undefined],
  ['an empty list', { json_subset: { items: [] } }, undefined],
  [
    'a list',
    { json_subset: { account: [] } },
    'account: found {"balance":"$1.00","open":true}, expected a list',
  ],
  [
    'items out of order',
    { json_subset: { items: [{ id: 3 }, { id: 1 }] } },
    'items: no item like {"id":1} after item 2 in [{"id":1,"tags":["a","b"]},{"id":2,"tags":[]},{"id":3}]',
  ],
  [
    'an item twice',
    { json_subset: { items: [{ tags: [] }, { tags: [] }, { tags: [] }] } },
    'items: no item like {"tags":[]} after item 1 in [{"id":1,"tags":["a","b"]},{"id":2,"tags":[]},{"id":3}]',
  ],
]

const paths: Row[] = [
  ['json_present', { json_present: ['next', '$.items.0.tags.1'] }, undefined],
  ['json_present', { json_present: ['items.3'] }, 'items.3: not there'],
  ['json_absent', { json_absent: ['items.2.tags', 'account.length'] }, undefined],
  ['json_absent', { json_absent: ['next'] }, 'next: found null, expected nothing'],
  ['json_text_contains_ci', { json_text_contains_ci: { message: 'lOCKED', amount: 5 } }, undefined],
  [
    'json_text_contains_ci',
    { json_text_contains_ci: { message: 'frozen' } },
    'message: found "Card is Locked", expected "frozen" in it',
  ],
  ['json_array_length', { json_array_length: { items: 3 } }, undefined],
  ['json_array_length', { json_array_length: { items: 2 } }, 'items: 3 items, expected 2'],
  ['json_array_length', { json_array_length: { next: 0 } }, 'next: found null, expected a list'],
  ['json_array_min_length', { json_array_min_length: { items: 3 } }, undefined],
  [
    'json_array_min_length',
    { json_array_min_length: { items: 4 } },
    'items: 3 items, expected at least 4',
  ],
  ['json_range', { json_range: { amount: [5, 5], price: [9, '100.00'] } }, undefined],
  ['json_range', { json_range: { day: ['2026-02-01', '2026-02-28'] } }, undefined],
  ['json_range', { json_range: { price: [1, 9] } }, 'price: found "12.50", expected 1 to 9'],
  ['json_range', { json_range: { day: [1, 9] } }, 'day: found "2026-02-10", expected 1 to 9'],
  ['json_range', { json_range: { gone: [0, 9] } }, 'gone: found nothing, expected 0 to 9'],
  ['json_equals', { json_equals: { $: BODY, 'items.1': { tags: [], id: 2 } } }, undefined],
  [
    'json_equals',
    { json_equals: { 'items.1': { id: 2 } } },
    'items.1: found {"id":2,"tags":[]}, expected exactly {"id":2}',
  ],
]

const bodies: Row[] = [
  ['content_type_starts', { content_type_starts: 'text/csv' }, undefined],
  [
    'content_type_starts',
    { content_type_starts: 'csv' },
    'content type "text/csv; charset=utf-8", expected "csv" at its beginning',
  ],
  ['first_line_contains', { first_line_contains: 'id,name' }, undefined],
  [
    'first_line_contains',
    { first_line_contains: 'Ada' },
    'first line "$id,name", expected "Ada" in it',
  ],
  ['body_contains', { body_contains: ['Ada', 1] }, undefined],
  ['body_contains', { body_contains: ['Ada', 'Bob'] }, 'no "Bob" in the body'],
  ['body_is', { body_is: '$id,name\r\n1,Ada\r\n' }, undefined],
  ['body_is', { body_is: '$id,name' }, 'the body is not "$id,name"'],
  ['header_present', { header_present: ['etag'] }, undefined],
  ['header_present', { header_present: ['etag', 'Allow'] }, 'no header Allow'],
  ['an empty subset', { json_subset: {} }, undefined],
  ['a subset', { json_subset: { id: 1 } }, 'the body is not JSON'],
  ['json_absent', { json_absent: ['id'] }, 'the body is not JSON'],
]

describe('a comparison', () => {
  it.each([...statuses, ...subsets, ...paths])('of %s: %j', (_, expected, difference) => {
    expect(firstDifference(expected, json)).toBe(difference)
  })

  it.each(bodies)('of text, %s: %j', (_, expected, difference) => {
    expect(firstDifference(expected, csv)).toBe(difference)
  })

  it('of a body that is JSON looks at its value, not at its text', () => {
    const spaced = answerOf('{ "a": [1] }', 'application/json')
    expect(firstDifference({ body_is: { a: [1] } }, spaced)).toBeUndefined()
    expect(firstDifference({ body_is: { a: [2] } }, spaced)).toBe('the body is not {"a":[2]}')
  })

  it('of counts takes all answers together', () => {
    const answers = [201, 400, 400].map((status) => answerOf('{}', 'application/json', status))
    expect(countsDifference({ 201: 1, 400: 2, 500: 0 }, answers)).toBeUndefined()
    const difference = '1 with 201, 2 with 400, expected 1 with 400, 2 with 201'
    expect(countsDifference({ 201: 2, 400: 1 }, answers)).toBe(difference)
  })
})

describe('the document', () => {
  const step = (expected: Expectation, doc: Step['doc']): Step => {
    return { method: 'GET', path: '/', expect: expected, doc }
  }

  it.each<readonly [string, Expectation, Step['doc'], Expectation]>([
    ['goes before a status', { status: 401 }, { status: 403 }, { status: 403 }],
    ['goes before a choice', { status_any_of: [403, 200] }, { status: 403 }, { status: 403 }],
    ['goes before an exception', { status_not: 200 }, { status: 200 }, { status: 200 }],
    [
      'leaves what is said of the body',
      { status: 401, json_text_contains_ci: { detail: 'locked' } },
      { status: 403 },
      { status: 403, json_text_contains_ci: { detail: 'locked' } },
    ],
    [
      'adds an error code',
      { status: 401, json_subset: { a: 1 } },
      { error_code: 'LOCKED' },
      { status: 401, json_subset: { a: 1, error_code: 'LOCKED' } },
    ],
    ['changes nothing with a note', { status: 400, note: 'x' }, { note: 'y' }, { status: 400 }],
  ])('%s', (_, expected, doc, heard) => {
    expect(expectationOf(step(expected, doc))).toEqual(heard)
  })
})

const scope = {
  refs: { alice: { id: 3, slug: 'a', address: { town: 'Ho' } }, sid: { id: 4 } },
  captured: { sid: 'secret', next: null },
  access: { alice: 'token' },
  today: new Date('2026-03-01T23:30:00-05:00'),
}

describe('a placeholder', () => {
  it.each([
    ['{{alice.id}}', 3],
    ['{{ alice.id }}', 3],
    ['{{alice}}', 3],
    ['{{alice_id}}', 3],
    ['{{alice.slug}}', 'a'],
    ['{{alice.address.town}}', 'Ho'],
    ['{{alice.address}}', { town: 'Ho' }],
    ['{{sid}}', 'secret'],
    ['{{next}}', null],
    ['Bearer {{access.alice}}', 'Bearer token'],
    ['/a/{{alice.id}}/{{sid}}?x={{next}}', '/a/3/secret?x=null'],
    ['{{today}}', '2026-03-02'],
    ['{{today-2}}', '2026-02-28'],
    ['{{today+30}}T00:00:00Z', '2026-04-01T00:00:00Z'],
    [[{ a: '{{alice.id}}', b: 1, c: null }], [{ a: 3, b: 1, c: null }]],
  ])('%j is %j', (text, value) => {
    expect(fill(text, scope)).toEqual(value)
  })

  it.each(['bob.id', 'bob_id', 'alice.age', 'alice.age_id', 'access.bob', 'today*2', '<ref>_id'])(
    '%s is unknown and named',
    (name) => {
      expect(() => fill({ a: [`x {{${name}}}`] }, scope)).toThrow(`unknown placeholder {{${name}}}`)
      expect(() => fill(`{{${name}}}`, scope)).toThrow(`unknown placeholder {{${name}}}`)
    },
  )

  it('of a token names who must log in', () => {
    const step = {
      headers: { A: 'Bearer {{access.alice}}' },
      body: ['{{ access.bob }}', '{{sid}}'],
    }
    expect(accessNames(step)).toEqual(['alice', 'bob'])
  })
})
