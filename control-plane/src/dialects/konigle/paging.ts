import { z } from '@hono/zod-openapi'

/** The most of a list that is counted. */
export const mostListed = 1_000

export const pagingSchema = z.object({
  page: z.coerce.number().int().min(1).max(mostListed).default(1),
  page_size: z.coerce.number().int().min(1).max(100).default(20),
})

export const pageSchema = <Item extends z.ZodType>(item: Item) =>
  z.object({ count: z.int(), payload: z.array(item) })

/** One page of all there is, of which the first so many are counted. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  { page, page_size }: z.output<typeof pagingSchema>,
  toItem: (row: Row) => Item,
): { count: number; payload: Item[] } {
  const counted = rows.slice(0, mostListed)
  const from = (page - 1) * page_size
  return { count: counted.length, payload: counted.slice(from, from + page_size).map(toItem) }
}
