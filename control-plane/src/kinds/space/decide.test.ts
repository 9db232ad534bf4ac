import { expect, test } from 'vitest'
import { decide, type SeenProcess, type SeenSpace, type SpaceAction } from './decide.ts'

const service = (change: Partial<SeenProcess> = {}): SeenProcess => ({
  id: 's1',
  name: 'app-uat-web-1-aaaa',
  kind: 'service',
  role: 'web',
  deploymentId: 'd1',
  phase: 'running',
  desired: 'run',
  waitsFor: null,
  failure: null,
  ...change,
})
const failure = { code: 'command_failed', message: 'the service ended with exit code 1' } as const
const running: SeenSpace = {
  phase: 'running',
  desired: 'running',
  waitsFor: null,
  failure: null,
  app: { name: 'shop', phase: 'ready', failure: null },
  currentId: 'd1',
  lastId: 'd1',
  underway: null,
  processes: [service()],
  cronJobs: [],
  tidying: { isDone: true, task: null },
}
const job = { name: 'nightly', isWanted: true, task: null }
const cronTask = { id: 'c1', isAsWanted: true, isGoing: false }
const empty = { currentId: null, lastId: null, processes: [] }

const cases: [string, Partial<SeenSpace>, Partial<SpaceAction> | null][] = [
  ['runs', {}, null],
  [
    'is provisioned with its web app',
    { ...empty, app: { ...running.app, phase: 'provisioning' } },
    { do: 'stand', phase: 'provisioning' },
  ],
  ['runs when that is set up', { ...empty, phase: 'provisioning' }, { do: 'stand', phase: 'running' }],
  [
    'fails with it',
    { ...empty, app: { name: 'shop', phase: 'failed', failure } },
    { do: 'stand', phase: 'failed' },
  ],
  [
    'starts while a process is not ready',
    { processes: [service({ phase: 'starting' })] },
    { do: 'stand', phase: 'starting' },
  ],
  [
    'fails with a process',
    { processes: [service({ phase: 'failed', failure })] },
    { do: 'stand', phase: 'failed' },
  ],
  ['ends its processes to be stopped', { desired: 'stopped' }, { do: 'end', processId: 's1' }],
  [
    'stops until they have ended',
    { desired: 'stopped', processes: [service({ desired: 'stop', phase: 'stopping' })] },
    { do: 'stand', phase: 'stopping' },
  ],
  [
    'is stopped then',
    { desired: 'stopped', processes: [service({ desired: 'stop', phase: 'stopped' })] },
    { do: 'stand', phase: 'stopped' },
  ],
  [
    'starts what was ended',
    { processes: [service({ desired: 'stop', phase: 'stopped' })] },
    { do: 'start', processId: 's1' },
  ],
  [
    'leaves what was ended for the deployment that is underway',
    {
      phase: 'running',
      underway: { id: 'd2', endedRoles: ['web'] },
      processes: [service({ desired: 'stop', phase: 'stopped' })],
    },
    null,
  ],
  [
    'starts nothing beside another one of its kind',
    {
      processes: [
        service({ desired: 'stop', phase: 'stopped' }),
        service({ id: 's2', deploymentId: 'd2', desired: 'delete' }),
      ],
    },
    { do: 'stand', phase: 'starting' },
  ],
  [
    'removes the processes of another release',
    { processes: [service(), service({ id: 's2', deploymentId: 'd0' })] },
    { do: 'remove', processId: 's2' },
  ],
  [
    'leaves those of the deployment that is underway',
    {
      underway: { id: 'd2', endedRoles: [] },
      processes: [service(), service({ id: 's2', deploymentId: 'd2' })],
    },
    null,
  ],
  [
    'removes the tasks of a deployment that is over',
    { processes: [service(), service({ id: 't1', kind: 'task', phase: 'succeeded' })] },
    { do: 'remove', processId: 't1' },
  ],
  [
    'keeps the task that the last deployment failed with',
    {
      lastId: 'd2',
      processes: [service(), service({ id: 't1', kind: 'task', deploymentId: 'd2', phase: 'failed' })],
      tidying: running.tidying,
    },
    null,
  ],
  [
    'removes it when there is a newer one',
    {
      lastId: 'd3',
      processes: [service(), service({ id: 't1', kind: 'task', deploymentId: 'd2', phase: 'failed' })],
    },
    { do: 'remove', processId: 't1' },
  ],
  ['makes a cron job', { cronJobs: [job] }, { do: 'make-cron-job', name: 'nightly' }],
  ['makes none before something is deployed', { ...empty, cronJobs: [job] }, null],
  ['keeps a cron job', { cronJobs: [{ ...job, task: cronTask }] }, null],
  [
    'replaces one that is another now',
    { cronJobs: [{ ...job, task: { ...cronTask, isAsWanted: false } }] },
    { do: 'remove', processId: 'c1' },
  ],
  [
    'removes one that is not wanted',
    { cronJobs: [{ ...job, isWanted: false, task: cronTask }] },
    { do: 'remove', processId: 'c1' },
  ],
  [
    'runs none while it is stopped',
    { desired: 'stopped', processes: [], cronJobs: [{ ...job, task: cronTask }] },
    { do: 'remove', processId: 'c1' },
  ],
  ['removes older releases', { tidying: { isDone: false, task: null } }, { do: 'tidy' }],
  [
    'not before their processes are gone',
    {
      tidying: { isDone: false, task: null },
      processes: [service(), service({ id: 's2', deploymentId: 'd0', desired: 'delete' })],
    },
    null,
  ],
  [
    'not beside a deployment',
    { tidying: { isDone: false, task: null }, underway: { id: 'd2', endedRoles: [] } },
    null,
  ],
  [
    'notes that it was done',
    { tidying: { isDone: false, task: { id: 't1', isOver: true, isGoing: false } } },
    { do: 'note-tidied' },
  ],
  [
    'forgets the task then',
    { tidying: { isDone: true, task: { id: 't1', isOver: true, isGoing: false } } },
    { do: 'remove', processId: 't1' },
  ],
  ['goes with its web app', { desired: 'delete' }, { do: 'stand', phase: 'deleting' }],
]

test.each(cases)('a space %s', (_, seen, action) => {
  const decided = decide({ ...running, ...seen })
  if (action === null) expect(decided).toBeNull()
  else expect(decided).toMatchObject(action)
})
