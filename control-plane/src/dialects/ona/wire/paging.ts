import { invalidValue, isId } from '@hearth/foundation'
import { type CountRequest, CountResponseRelation } from '../generated/gitpod/v1/count_pb.ts'
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

/** What is said of the number of all that a list has; nothing unless it is asked for. */
export async function counted(asked: CountRequest | undefined, count: () => Promise<number>) {
  if (asked?.include !== true) return {}
  return { count: { value: await count(), relation: CountResponseRelation.EQ } }
}

/** The values of an enum that a filter names: the unspecified one is none. */
export const named = <Value extends number>(values: readonly Value[] | undefined): Value[] =>
  (values ?? []).filter((value) => value !== 0)

/** Whether a filter names values of an enum, and none that there is here: nothing is listed then. */
export const isOnlyOther = (values: readonly number[] | undefined, ours: readonly number[]): boolean => {
  const wanted = named(values)
  return wanted.length > 0 && !wanted.some((value) => ours.includes(value))
}

/** No ids narrow nothing. */
export const someOf = (ids: readonly string[] | undefined) => (ids?.length ? ids : undefined)
