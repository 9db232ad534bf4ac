import { callRequestSchema } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { programRequestOf, relationSchema, requireRows } from './requests.ts'

const ingress = (table: string) =>
  programRequestOf({
    ...{ ask: 'ingress', table, format: 'json', updateFormat: 'raw' },
    ...{ isArray: false, isForced: true, rows: Buffer.from('{}') },
  })

test('each request has the method and the words of the toolchain contract', () => {
  expect(ingress('orders')).toMatchObject({
    method: 'POST',
    path: '/ingress/orders?format=json&update_format=raw&array=false&force=true',
  })
  expect(programRequestOf({ ask: 'query', sql: "SELECT 'a & b'", format: 'text' })).toEqual({
    method: 'GET',
    path: '/query?sql=SELECT+%27a+%26+b%27&format=text',
    body: null,
  })
  expect(programRequestOf({ ask: 'egress', relation: 'v', format: 'csv', withSnapshot: true })).toMatchObject(
    { method: 'POST', path: '/egress/v?format=csv&send_snapshot=true' },
  )
  expect(programRequestOf({ ask: 'checkpoint' })).toMatchObject({ method: 'POST', path: '/checkpoint' })
  expect(programRequestOf({ ask: 'stats' })).toMatchObject({ method: 'GET', path: '/stats' })
})

test('whatever a table is called, its request is to a table, and one that an agent takes', () => {
  const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
  const name = fc
    .oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
      fc.constantFrom('...', '../checkpoint', 'a?b=c', 'a#b', '%2e%2e', ' '),
    )
    .filter((each) => relationSchema.safeParse(each).success)
  fc.assert(
    fc.property(name, (table) => {
      const { method, path } = ingress(table)
      const call = { call: 'ask', id, runnerId: id, epoch: 1, environmentId: id, method, path }
      const sent = callRequestSchema.parse({ ...call, body: null, isStreamed: false, operation: null })
      expect(sent).toMatchObject({ path })
      const { pathname, search } = new URL(path, 'http://machine')
      expect(pathname.split('/').slice(0, 2)).toEqual(['', 'ingress'])
      expect(pathname.split('/')).toHaveLength(3)
      expect(search).toBe('?format=json&update_format=raw&array=false&force=true')
    }),
  )
})

test('a name that a path has not is none', () => {
  for (const none of ['', '.', '..', 'x'.repeat(257)])
    expect(relationSchema.safeParse(none).success).toBe(false)
})

test('what is no query, and what says of itself that it is no rows, is refused with its field', () => {
  expect(() => programRequestOf({ ask: 'query', sql: ' ', format: 'json' })).toThrow('query.sql')
  const sized = { 'Content-Length': '3' }
  const json = { 'Content-Type': 'application/json' }
  expect(() => requireRows(new Headers({ ...sized, ...json }))).toThrow('body')
  expect(() => requireRows(new Headers({ 'Transfer-Encoding': 'chunked', ...json }))).toThrow('body')
  expect(() => requireRows(new Headers(sized))).toThrow('body')
  expect(() =>
    requireRows(new Headers({ ...sized, 'Content-Type': 'text/csv; charset=utf-8' })),
  ).not.toThrow()
  expect(() => requireRows(new Headers(json))).not.toThrow()
})
