import { pipelineTrafficLimits } from '@hearth/contract'
import { assertNever, invalidValue } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import { shownValue } from '../../../api/shown-value.ts'
import type { ProgramRequest } from '../../environment/index.ts'

/** What is asked of the program of a running pipeline. */
export type TrafficRequest =
  | {
      ask: 'ingress'
      table: string
      format: 'json' | 'csv'
      updateFormat: 'raw' | 'insert_delete'
      isArray: boolean
      isForced: boolean
      rows: Buffer
    }
  | { ask: 'egress'; relation: string; format: 'json' | 'csv'; withSnapshot: boolean }
  | { ask: 'query'; sql: string; format: 'json' | 'text' }
  | { ask: 'checkpoint' | 'status' | 'stats' }

const { sqlCharacters, nameCharacters } = pipelineTrafficLimits
export const relationSchema = z
  .string()
  .min(1)
  .max(nameCharacters)
  // As a segment of a path these are none.
  .regex(/^(?!\.{1,2}$)/, 'the name of a table or view')
  .meta({ description: 'Of the program' })
export const sqlSchema = z
  .string()
  .max(sqlCharacters)
  // SQLite would read no further.
  .regex(/^[^\0]*$/, 'a SELECT without the character NUL')
  .default('')
  .meta({ description: 'A SELECT' })
export const rowFormatSchema = z.enum(['json', 'csv'])
export const updateFormatSchema = z.enum(['raw', 'insert_delete'])
export const answerFormatSchema = z.enum(['json', 'text'])
export const switchSchema = z.enum(['true', 'false'])
/** Of rows, which are lines. */
export const rowTypes = [
  'application/x-ndjson',
  'text/csv',
  'text/plain',
  'application/octet-stream',
] as const

/** Refuses a body that says of itself that it is no rows. */
export function requireRows(headers: Headers): void {
  const hasBody = (headers.get('Content-Length') ?? '0') !== '0' || headers.has('Transfer-Encoding')
  const said = headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!hasBody || rowTypes.some((known) => known === said)) return
  throw invalidValue({
    field: 'body',
    given: shownValue(said === '' ? 'nothing' : said, []),
    expected: `rows as ${rowTypes.join(', ')}`,
  })
}

/** As it is sent into the machine. A name is one segment of the path, whatever it has. */
export function programRequestOf(request: TrafficRequest): ProgramRequest {
  switch (request.ask) {
    case 'ingress': {
      const { table, format, updateFormat, isArray, isForced, rows } = request
      const query = {
        format,
        update_format: updateFormat,
        array: String(isArray),
        force: String(isForced),
      }
      return { method: 'POST', path: pathOf(['ingress', table], query), body: rows }
    }
    case 'egress': {
      const { relation, format, withSnapshot } = request
      const query = { format, send_snapshot: String(withSnapshot) }
      return { method: 'POST', path: pathOf(['egress', relation], query), body: Buffer.alloc(0) }
    }
    case 'query': {
      const { sql, format } = request
      if (sql.trim() === '')
        throw invalidValue({ field: 'query.sql', given: shownValue(sql, []), expected: 'a SELECT' })
      return { method: 'GET', path: pathOf(['query'], { sql, format }), body: null }
    }
    case 'checkpoint':
      return { method: 'POST', path: '/checkpoint', body: Buffer.alloc(0) }
    case 'status':
    case 'stats':
      return { method: 'GET', path: `/${request.ask}`, body: null }
    default:
      return assertNever(request)
  }
}

const segment = (name: string) => encodeURIComponent(name.toWellFormed())

const pathOf = (segments: readonly string[], query: Readonly<Record<string, string>>) =>
  `/${segments.map(segment).join('/')}?${new URLSearchParams(query).toString()}`
