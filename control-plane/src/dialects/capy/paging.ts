import { invalidValue, isId } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import { shownValue } from '../../api/shown-value.ts'

export const pagingSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_-]+$/, 'nextCursor of a page of this list')
    .optional(),
})

/** Encodes the last id of a page as an opaque cursor. */
export function cursorOf(id: string): string {
  return Buffer.from(id).toString('base64url')
}

export function idOf(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const id = Buffer.from(cursor, 'base64url').toString()
  if (isId(id)) return id
  throw invalidValue({
    field: 'query.cursor',
    given: shownValue(cursor, []),
    expected: 'nextCursor of a page of this list',
  })
}

export const pageSchema = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable(), hasMore: z.boolean() })

/** Makes a page from a query for one row more than the page holds. */
export function pageOf<Row extends { id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null; hasMore: boolean } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items: shown.map(toItem), nextCursor: hasMore ? cursorOf(last.id) : null, hasMore }
}
