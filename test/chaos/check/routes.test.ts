import { expect, test } from 'vitest'
import type { History } from './history.ts'
import { checkRoutes } from './routes.ts'
import { calmHistory, environment } from './sample.ts'

const runnerId = 'runner-1'
const wanted = { id: 'route-1', environmentId: 'claimed', port: 3_000, deleted: false }
const row = {
  ...{ id: 'route-1', phase: 'active', environmentId: 'claimed', runnerId, port: 3_000, failure: null },
}
const served = { id: 'route-1', environmentId: 'claimed', port: 3_000 }

interface Change {
  wanted?: Partial<typeof wanted>
  row?: Partial<typeof row> | null
  served?: Partial<typeof served> | null
  machine?: Partial<History['records']['environments'][number]>
}

function rules(change: Change = {}): string[] {
  const calm = calmHistory()
  const history = calmHistory({
    intents: { ...calm.intents, routes: [{ ...wanted, ...change.wanted }] },
    records: {
      ...calm.records,
      environments: [environment('claimed', change.machine)],
      routes: change.row === null ? [] : [{ ...row, ...change.row }],
    },
    hosts: calm.hosts.map((host) => ({
      ...host,
      routes: change.served === null ? [] : [{ ...served, ...change.served }],
    })),
  })
  return checkRoutes(history).map(({ rule }) => rule)
}

test('a route that is as it was asked for violates nothing', () => {
  expect(rules()).toEqual([])
  expect(rules({ wanted: { deleted: true }, row: null, served: null })).toEqual([])
  expect(rules({ machine: { phase: 'deleted' }, row: null, served: null })).toEqual([])
})

test.each<[string, Change, string[]]>([
  ['lost', { row: null, served: null }, ['lost intent']],
  ['still there although deleted', { wanted: { deleted: true } }, ['lost intent']],
  ['led elsewhere', { row: { port: 1 }, served: { port: 1 } }, ['lost intent']],
  ['not on its host', { served: null }, ['lost intent']],
  ['another on its host than in the records', { served: { port: 1 } }, ['lost intent']],
  ['on another runner than its machine', { machine: { runnerId: 'runner-2' } }, ['lost intent']],
  ['left without its machine', { machine: { phase: 'deleted' } }, ['orphan']],
  ['left on a host', { row: null, wanted: { deleted: true } }, ['orphan']],
  ['that waits on', { row: { phase: 'opening' } }, ['deadline']],
])('a route that is %s is found', (_, change, expected) => {
  expect(rules(change)).toEqual(expected)
})
