import { z } from '@hono/zod-openapi'
import type { NumberedPage } from '../projections/paging.ts'
import { ProblemError, problem } from './problems.ts'
import type { Call } from './route.ts'

/** The query fields of a list with numbered pages; a size beyond the limit is the limit. */
export const numberedPaging = (size: number, most: number) => ({
  page: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'a page is a whole number from 1 on')
    .transform(Number)
    .default(1),
  page_size: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'a page size is a whole number from 1 on')
    .transform((text) => Math.min(Number(text), most))
    .default(size),
})

export const numberedPageOf = (item: z.ZodType, name: string) =>
  z
    .object({
      count: z.int(),
      next: z.string().nullable(),
      previous: z.string().nullable(),
      results: z.array(item),
    })
    .openapi(`${name}Page`)

const addressOf = (url: string, page: number): string => {
  const address = new URL(url)
  address.searchParams.set('page', String(page))
  return address.toString()
}

/**
 * A page with absolute addresses of its neighbours, which keep the other query fields. Beyond the
 * last page there is nothing: a problem. The first page is there even when it is empty.
 */
export const numberedPage = <Item, Shown>(
  { request }: Pick<Call, 'request'>,
  { page, page_size }: { readonly page: number; readonly page_size: number },
  { count, results }: NumberedPage<Item>,
  show: (item: Item) => Shown,
) => {
  const last = Math.max(1, Math.ceil(count / page_size))
  if (page > last) throw new ProblemError(problem('RESOURCE_NOT_FOUND', 'There is no such page.'))
  return {
    count,
    next: page < last ? addressOf(request.url, page + 1) : null,
    previous: page > 1 ? addressOf(request.url, page - 1) : null,
    results: results.map(show),
  }
}
