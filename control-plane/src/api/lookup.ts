import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'

const anyName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
/** A name in a query: letters, digits, hyphens and underscores, whatever the kind. */
export const nameQuery = z.string().max(127).regex(anyName, 'letters, digits and inner hyphens').optional()
export const idParams = z.object({ id: z.uuid().meta({ description: 'UUID' }) })
/** For kinds whose names are unique in an organization. */
export const idOrNameParams = z.object({
  id: z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/, 'a UUID, or a name')
    .meta({ description: 'UUID or name' }),
})

/** For kinds whose names several resources may share, such as generated names. */
export const idOrSharedNameParams = z.object({
  id: z
    .string()
    .max(127)
    .regex(anyName, 'a UUID, or a name')
    .meta({ description: 'UUID or name; of several with that name the live one, else the newest' }),
})

/** The row; throws `not_found` with the id or name when there is none. */
export function found<Row>(row: Row | undefined, kind: string, id: string): Row {
  if (row !== undefined) return row
  throw new HearthError('not_found', `there is no ${kind} ${id}`)
}

/** Refuses a write that was based on an older version. */
export function requireVersion(expected: number | null, current: number): void {
  if (expected === null || expected === current) return
  throw new HearthError(
    'stale_version',
    `written on specVersion ${expected}, the current one is ${current}`,
    {
      facts: { currentSpecVersion: current },
    },
  )
}

/** Size of a page: it ends with the item that reaches this many bytes of JSON. */
export const mostPageBytes = 4 * 1024 * 1024

/** Makes a page from a query for one row more than the page holds; the page ends earlier when it has enough bytes. */
export function page<Row extends { id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  const items: Item[] = []
  let last: string | null = null
  let bytes = 0
  for (const row of rows.slice(0, limit)) {
    if (bytes >= mostPageBytes) break
    const item = toItem(row)
    items.push(item)
    last = row.id
    bytes += Buffer.byteLength(JSON.stringify(item) ?? '')
  }
  return { items, next: rows.length > items.length ? last : null }
}

/** Rows read in one query: at the largest possible size they are about four times the bytes of a page. */
const readAtOnce = 64

/**
 * The same for large rows: they are read in small parts, so that memory never holds more of them than fits into a page.
 * `read` asks for one row more than its limit.
 */
export async function readPage<Row extends { id: string }, Item>(
  wanted: { after?: string | undefined; limit: number },
  read: (part: { after: string | undefined; limit: number }) => Promise<Row[]>,
  toItem: (row: Row) => Item,
): Promise<{ items: Item[]; next: string | null }> {
  const items: Item[] = []
  let bytes = 0
  let { after } = wanted
  for (;;) {
    const limit = Math.min(readAtOnce, wanted.limit - items.length)
    const rows = await read({ after, limit })
    for (const row of rows.slice(0, limit)) {
      if (bytes >= mostPageBytes) return { items, next: after ?? null }
      const item = toItem(row)
      items.push(item)
      after = row.id
      bytes += Buffer.byteLength(JSON.stringify(item) ?? '')
    }
    if (rows.length <= limit) return { items, next: null }
    if (items.length === wanted.limit) return { items, next: after ?? null }
  }
}
