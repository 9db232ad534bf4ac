import { expect, test } from 'vitest'
import { calmHistory, environment, machine } from './sample.ts'
import { checkVolumes } from './volumes.ts'

const wanted = {
  ...{ id: 'volume-1', environmentId: 'claimed' as string | null },
  ...{ clears: 0, seenAt: 1_000 as number | null, deleted: false },
}
const row = {
  ...{ id: 'volume-1', phase: 'attached', environmentId: 'claimed' as string | null, runnerId: 'runner-1' },
  ...{ isMounted: true, contentNumber: 0, failure: null as string | null },
}
const stored = { id: 'volume-1', environmentId: 'claimed' as string | null, contentNumber: 0, madeAt: 900 }

interface Change {
  wanted?: Partial<typeof wanted>
  row?: Partial<typeof row> | null
  stored?: Partial<typeof stored> | null
  phase?: 'running' | 'suspended' | 'deleted'
}

function rules(change: Change = {}): string[] {
  const calm = calmHistory()
  const history = calmHistory({
    intents: { ...calm.intents, volumes: [{ ...wanted, ...change.wanted }] },
    records: {
      ...calm.records,
      environments: [environment('claimed', { phase: change.phase ?? 'running' })],
      volumes: change.row === null ? [] : [{ ...row, ...change.row }],
    },
    hosts: calm.hosts.map((host) => ({
      ...host,
      machines: [machine('claimed')],
      volumes: change.stored === null ? [] : [{ ...stored, ...change.stored }],
    })),
  })
  return checkVolumes(history).map(({ rule }) => rule)
}

const out = { environmentId: null }

test('a volume that is as it was asked for violates nothing', () => {
  expect(rules()).toEqual([])
  expect(rules({ wanted: { deleted: true }, row: null, stored: null })).toEqual([])
  const free = { ...out, phase: 'available', isMounted: false }
  expect(rules({ wanted: out, row: free, stored: out })).toEqual([])
  expect(rules({ phase: 'deleted', row: free, stored: out })).toEqual([])
  const held = {
    phase: 'failed',
    failure: 'the machine claimed is suspended, and its memory knows the volume',
  }
  expect(rules({ phase: 'suspended', row: held })).toEqual([])
})

test.each<[string, Change, string[]]>([
  ['is gone', { row: null, stored: null }, ['lost intent']],
  ['is there although it was deleted', { wanted: { deleted: true } }, ['lost intent']],
  ['is kept for a machine that it was taken from', { wanted: out }, ['lost intent']],
  ['is in another machine on its host', { stored: { environmentId: 'ready' } }, ['lost intent']],
  ['is not mounted although its machine runs', { row: { isMounted: false } }, ['lost intent']],
  ['was emptied unasked', { stored: { contentNumber: 1 } }, ['lost intent']],
  ['was made anew', { stored: { madeAt: 2_000 } }, ['lost intent']],
  ['is on a host that should not have it', { row: { runnerId: 'runner-2' } }, ['orphan']],
  ['has failed and is not held', { row: { phase: 'failed', failure: 'the disk is full' } }, ['deadline']],
  ['waits although all is at rest', { row: { phase: 'attaching' } }, ['deadline']],
])('a volume that %s is told', (_, change, expected) => {
  expect(rules(change)).toEqual(expected)
})
