import { expect, test } from 'vitest'
import type { History } from './history.ts'
import { calmHistory, environment } from './sample.ts'
import { checkWebApps } from './web-apps.ts'

const environmentId = 'claimed'
const wanted = { id: 'app-1', environmentId, uatId: 'uat', deployments: ['deployment-1'], deleted: false }
const app = { id: 'app-1', environmentId, phase: 'ready', failure: null }
const space = { id: 'uat', currentDeploymentId: 'deployment-1' }
const deployment = { id: 'deployment-1', environmentId, phase: 'succeeded', failure: null }
const service: History['records']['processes'][number] = {
  id: 'service-1',
  kind: 'service',
  environmentId,
  phase: 'running',
  desired: 'run',
  ...{ request: 1, runs: 1, isRestarted: true, deadline: null },
  ...{ failure: null, failureCode: null, cause: null, exitCode: null },
  deploymentId: 'deployment-1',
}

interface Change {
  wanted?: Partial<typeof wanted>
  app?: Partial<History['records']['webApps'][number]> | null
  current?: string | null
  deployment?: Partial<History['records']['deployments'][number]> | null
  service?: Partial<History['records']['processes'][number]> | null
  machine?: Partial<History['records']['environments'][number]>
}

function rules(change: Change = {}): string[] {
  const calm = calmHistory()
  const history = calmHistory({
    intents: { ...calm.intents, webApps: [{ ...wanted, ...change.wanted }] },
    records: {
      ...calm.records,
      environments: [environment(environmentId, change.machine)],
      webApps: change.app === null ? [] : [{ ...app, ...change.app }],
      spaces:
        change.app === null
          ? []
          : [{ ...space, ...('current' in change ? { currentDeploymentId: change.current ?? null } : {}) }],
      deployments: change.deployment === null ? [] : [{ ...deployment, ...change.deployment }],
      processes: change.service === null ? [] : [{ ...service, ...change.service }],
    },
  })
  return checkWebApps(history).map(({ rule }) => rule)
}
const nothing = { app: null, deployment: null, service: null }

test('an app that is as it was asked for violates nothing', () => {
  expect(rules()).toEqual([])
  expect(rules({ wanted: { deleted: true }, ...nothing })).toEqual([])
  expect(rules({ machine: { phase: 'deleted' }, ...nothing })).toEqual([])
  expect(rules({ machine: { phase: 'stopped' }, deployment: { phase: 'pending' }, current: null })).toEqual(
    [],
  )
})

test.each<[string, Change, string[]]>([
  ['that is lost', nothing, ['lost intent']],
  ['whose deployment is lost', { deployment: null, service: null, current: null }, ['lost intent']],
  ['that is there although it was deleted', { wanted: { deleted: true } }, ['lost intent']],
  ['whose current release failed', { deployment: { phase: 'failed', failure: 'x' } }, ['lost intent']],
  ['whose machine is gone', { machine: { phase: 'deleted' } }, ['orphan']],
  ['with a service of a dead release', { service: { deploymentId: 'deployment-0' } }, ['orphan']],
  ['that is not set up', { app: { phase: 'provisioning' } }, ['deadline']],
  ['with a deployment that waits on', { deployment: { phase: 'starting' }, current: null }, ['deadline']],
  [
    'with a deployment that failed without a cause',
    { deployment: { phase: 'failed' }, current: null, service: null },
    ['deadline'],
  ],
])('an app %s is found', (_, change, expected) => {
  expect(rules(change)).toEqual(expected)
})
