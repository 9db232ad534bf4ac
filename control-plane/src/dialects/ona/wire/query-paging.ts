import { parseJson } from '../../../api/json-body.ts'

type Bytes = Uint8Array<ArrayBuffer>

/**
 * The body with the page that the query asks for: clients of the older generation ask for the next page there, and send the
 * first page's body again.
 */
export function withQueryPaging(body: Bytes, query: URLSearchParams): Bytes {
  const token = query.get('token')
  const pageSize = query.get('pageSize')
  if (token === null && pageSize === null) return body
  const given = parseJson(Buffer.from(body).toString('utf8'))
  if (!isObject(given)) return body
  const before = isObject(given.pagination) ? given.pagination : {}
  const pagination = {
    ...before,
    ...(token === null ? {} : { token }),
    // As it was sent: what is no number is refused like one in the body.
    ...(pageSize ? { pageSize } : {}),
  }
  return new Uint8Array(Buffer.from(JSON.stringify({ ...given, pagination })))
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
