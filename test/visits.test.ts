import { test } from 'vitest'
import { Visit } from '../domain/visits.ts'
import { spec } from './support/spec.ts'

const NOON = '2026-03-10T12:00:00.000Z'
const plan = {
  ...{ visit: 'v1', number: 1, client: 'ama', banker: 'kofi', day: '2026-03-10' },
  ...{ purpose: 'collection' as const, planned_by: 'kofi', planned_at: NOON },
}
const planned = { type: 'VisitPlanned', data: plan } as const
const completion = { visit: 'v1', completed_by: 'kofi', completed_at: NOON }
const completed = { type: 'VisitCompleted', data: completion } as const
const cancellation = { visit: 'v1', cancelled_by: 'kofi', cancelled_at: NOON }
const cancelled = { type: 'VisitCancelled', data: cancellation } as const

test('a visit is made or cancelled, once', () => {
  const given = spec(Visit).given
  given().when('plan', plan).gives(planned)
  given(planned).when('complete', completion).gives(completed)
  given(planned).when('cancel', cancellation).gives(cancelled)
  for (const settled of [completed, cancelled]) {
    given(planned, settled).when('complete', completion).rejects('VISIT_NOT_PLANNED')
    given(planned, settled).when('cancel', cancellation).rejects('VISIT_NOT_PLANNED')
  }
})
