import { expect, test } from 'vitest'
import { digestOfOrder, wantedOrder } from './wanted-order.ts'

test('an order has the same digest in whichever order its fields are, and another where one says something else', () => {
  const digest = digestOfOrder({ name: 'web', spec: { port: 80, host: null } })
  expect(digest).toMatch(/^[0-9a-f]{32}$/)
  expect(digestOfOrder({ spec: { host: null, port: 80 }, name: 'web' })).toBe(digest)
  expect(digestOfOrder({ name: 'web', spec: { port: 81, host: null } })).not.toBe(digest)
})

test('a field that an order does not have leaves its digest as it was before there were such fields', () => {
  const digest = digestOfOrder({ name: 'web' })
  expect(digestOfOrder({ name: 'web', since: undefined })).toBe(digest)
  expect(digestOfOrder({ name: 'web', since: null })).not.toBe(digest)
})

test('a runner is told which report of a resource was committed last', () => {
  const row = { id: 'one', report_epoch: 3, report_sequence: '12' }
  expect(wantedOrder(row, 'd')).toEqual(['one', { digest: 'd', reported: { epoch: 3, sequence: 12 } }])
})
