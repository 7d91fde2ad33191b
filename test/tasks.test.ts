import { describe, expect, test } from 'vitest'
import { execute } from '../commands/kernel.ts'
import type { Actor } from '../commands/ports.ts'
import {
  completeTask,
  lookAtTask,
  requestCounterfactual,
  requestFraudTraining,
} from '../commands/tasks.ts'
import { reachOf } from '../domain/permissions.ts'
import { getTask, taskBook } from '../projections/tasks.ts'
import { accepted, administrator, codeOf, useWorld } from './people-support.ts'

const world = useWorld()
const analyst: Actor = { id: 'ann', roles: ['analyst'] }
const span = {
  ...{ book: 'main', booked_from: '2026-01-01T00:00:00.000Z' },
  booked_until: '2026-02-01T00:00:00.000Z',
}

const askFor = async (actor: Actor) =>
  execute(
    world.ports,
    requestCounterfactual,
    requestCounterfactual.input.parse({ ...span, review_from: 0.25 }),
    world.context(actor),
  )

describe('a task', () => {
  test('is asked for in words that a log can keep', async () => {
    const { answer } = accepted(await askFor(analyst))
    const { request } = await lookAtTask(world.ports, answer.task)
    expect(request).toMatchObject({
      kind: 'counterfactual',
      input: { ...span, matured_days: '7', review_from: '0.25', rules: 'declared' },
    })
  })

  test('is not for everybody to ask for', async () => {
    expect(codeOf(await askFor({ id: 'cas', roles: ['cashier'] }))).toBe('NOT_PERMITTED')
    const training = requestFraudTraining.input.parse({ book: 'main' })
    const asked = await execute(world.ports, requestFraudTraining, training, world.context(analyst))
    expect(codeOf(asked)).toBe('NOT_PERMITTED')
  })

  test('shows its figures to who asked for it and to administrators, and to nobody else', async () => {
    const { answer } = accepted(await askFor(analyst))
    const { task } = answer
    const figures = { movements: 3, 'was_caught_value:USD/2': '250' }
    const examples = [{ entry: 'e1', was: 'approve', would: 'block' }]
    const result = { task, message: '+1 alerts', figures, examples }
    accepted(await execute(world.ports, completeTask, result, world.context(administrator)))
    const reached = await world.project([taskBook])
    await reached(await world.ports.store.head())
    const show = ({ id, roles }: Actor) =>
      getTask.run(
        world.database,
        { task },
        { id, reach: reachOf(roles, getTask.permission) ?? 'own', at: new Date() },
        world.ports.vault,
      )
    const shown = { status: 'completed', message: '+1 alerts', figures, examples }
    expect(await show(analyst)).toMatchObject(shown)
    expect(await show(administrator)).toMatchObject(shown)
    expect(await show({ ...analyst, id: 'another' })).toBeUndefined()
  })
})
