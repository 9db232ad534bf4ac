import { invalidValue, isId } from '@hearth/foundation'
import type { PaginationRequest } from '../generated/gitpod/v1/pagination_pb.ts'

const usualSize = 25

/** A page of rows, the newest first, and the token of the next one. */
export async function page<Row extends { id: string }>(
  pagination: PaginationRequest | undefined,
  read: (filter: { after?: string; limit: number; newestFirst: true }) => Promise<Row[]>,
): Promise<{ rows: Row[]; pagination: { nextToken: string } }> {
  const { pageSize = 0, token = '' } = pagination ?? {}
  if (token !== '' && !isId(token))
    throw invalidValue({
      field: 'pagination.token',
      given: 'another text',
      expected: 'nextToken of a page of this list',
    })
  const limit = pageSize === 0 ? usualSize : pageSize
  const rows = await read({ ...(token === '' ? {} : { after: token }), limit, newestFirst: true })
  const shown = rows.slice(0, limit)
  const nextToken = rows.length > limit ? (shown.at(-1)?.id ?? '') : ''
  return { rows: shown, pagination: { nextToken } }
}

/** No ids narrow nothing. */
export const someOf = (ids: readonly string[] | undefined) => (ids?.length ? ids : undefined)
