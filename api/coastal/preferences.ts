import { z } from '@hono/zod-openapi'
import { changePreferences } from '../../commands/preferences.ts'
import { Preferences } from '../../domain/preferences.ts'
import { getPreferences } from '../../projections/preferences.ts'
import { ask, route, tell } from '../contract.ts'
import type { Call, Route } from '../route.ts'
import { afterwards, STAFF } from './accounts.ts'

const tag = 'Messages'
const Shown = Preferences.openapi('CoastalPreferences')
const Changes = z.object(Preferences.partial().shape)

const show = async (call: Call) => ({ body: await ask(call, getPreferences, {}) })

const change = async (call: Call<z.infer<typeof Changes>>) => {
  await tell(call, changePreferences, call.input)
  return show(afterwards(call))
}

const changing = {
  tag,
  summary: 'Change how I hear of messages, and what others see of me',
  description: 'What is not named stays as it is.',
  input: Changes,
  response: Shown,
  run: change,
} as const

export const preferenceRoutes: readonly Route[] = [
  route('get', '/api/messaging/preferences/', 'messages:use', {
    tag,
    summary: 'Show how I hear of messages, and what others see of me',
    input: z.object({}),
    response: Shown,
    example: STAFF,
    run: show,
  }),
  route('put', '/api/messaging/preferences/', 'messages:use', {
    ...changing,
    example: { ...STAFF, body: { show_previews: false } },
  }),
  route('post', '/api/messaging/preferences/', 'messages:use', {
    ...changing,
    example: { ...STAFF, body: { auto_delete_enabled: true, auto_delete_days: 90 } },
  }),
]
