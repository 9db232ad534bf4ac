import { expect, test } from 'vitest'
import type { History } from './history.ts'
import { checkPipelines } from './pipelines.ts'
import { calmHistory } from './sample.ts'

const row: History['records']['pipelines'][number] = {
  id: 'pipeline-1',
  resources: 'provisioned',
  desired: 'provisioned',
  runtime: 'running',
  program: 'success',
  storage: 'in_use',
  error: null,
  environmentId: 'machine-1',
  snapshotId: 'snapshot-2',
  volumeId: 'volume-1',
}
const parts: History['records']['pipelineParts'] = [
  { kind: 'machine', id: 'machine-1' },
  { kind: 'snapshot', id: 'snapshot-2' },
  { kind: 'volume', id: 'volume-1' },
]

function broken(change: {
  told?: string[]
  seen?: (string | null)[]
  first?: number
  row?: Partial<typeof row> | null
  parts?: typeof parts
  deleted?: boolean
}): string[] {
  const { told = ['replaying', 'running'], seen = [null, 'initializing', ...told], first = 1 } = change
  const calm = calmHistory()
  const history = calmHistory({
    intents: { ...calm.intents, pipelines: [{ id: row.id, told, deleted: change.deleted ?? false }] },
    records: {
      ...calm.records,
      pipelines: change.row === null ? [] : [{ ...row, ...change.row }],
      pipelineEvents: seen.map((runtime, index) => ({
        pipelineId: row.id,
        sequence: first + index,
        resources: runtime === null ? 'stopped' : 'provisioned',
        runtime,
      })),
      pipelineParts: change.parts ?? parts,
    },
  })
  return checkPipelines(history).map(({ rule }) => rule)
}

test('one that is as its program told is well, also after a while in which nothing was heard', () => {
  expect(broken({})).toEqual([])
  expect(
    broken({ seen: [null, 'initializing', 'replaying', 'unavailable', 'replaying', 'running'] }),
  ).toEqual([])
  expect(
    broken({ seen: [null, 'initializing', 'replaying', null, 'initializing', 'replaying', 'running'] }),
  ).toEqual([])
  const stopped = { resources: 'stopped', desired: 'stopped', runtime: null, environmentId: null }
  const seen = [null, 'initializing', 'replaying', 'suspended', null]
  expect(broken({ seen, row: stopped, parts: parts.slice(1) })).toEqual([])
})

test.each<[string, Parameters<typeof broken>[0], string[]]>([
  ['a status that was left out', { seen: [null, 'initializing', 'running'] }, ['lost intent']],
  [
    'one that came twice',
    { seen: [null, 'initializing', 'replaying', 'initializing', 'replaying'] },
    ['lost intent'],
  ],
  ['an event that is missing', { first: 2 }, ['lost intent']],
  ['a last word that is not known', { row: { runtime: 'replaying' } }, ['lost intent']],
  ['one that is gone', { row: null, parts: [] }, ['lost intent']],
  ['one that was to go', { deleted: true }, ['lost intent']],
  ['a machine that is left', { parts: [...parts, { kind: 'machine', id: 'machine-2' }] }, ['orphan']],
  ['a volume that is left', { row: { volumeId: null } }, ['orphan']],
  ['a program that is never compiled', { row: { program: 'building' } }, ['deadline']],
  ['one that never stops', { row: { desired: 'stopped' } }, ['deadline']],
  [
    'a machine that is not given back',
    { row: { resources: 'stopped', desired: 'stopped', runtime: null } },
    ['deadline'],
  ],
])('%s is found', (_, change, rules) => {
  expect(broken(change)).toEqual(rules)
})
