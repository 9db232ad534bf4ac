import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { taskOf } from '../space/index.ts'
import { webAppReconciler } from './reconcile.ts'
import { keep, makeApp, makeDeployment } from './web-app.fixture.ts'

const withoutIds = (text: string) => text.replaceAll(/-[0-9a-f]{8}\b/g, '')
const outcome: Scenario['outcome'] = async (database, environmentId) => {
  const app = await database
    .selectFrom('web_apps')
    .select(['phase', 'desired'])
    .where('environment_id', '=', environmentId)
    .executeTakeFirst()
  const spaces = await database
    .selectFrom('spaces')
    .select(['type', 'phase'])
    .where('environment_id', '=', environmentId)
    .orderBy('id')
    .execute()
  const deployments = await database
    .selectFrom('deployments')
    .select(['phase'])
    .where('environment_id', '=', environmentId)
    .orderBy('id')
    .execute()
  const processes = await database
    .selectFrom('processes')
    .select(['name', 'desired', 'phase'])
    .where('environment_id', '=', environmentId)
    .orderBy('name')
    .execute()
  return {
    app: app === undefined ? null : `${app.desired} ${app.phase}`,
    spaces: spaces.map(({ type, phase }) => `${type} ${phase}`),
    deployments: deployments.map(({ phase }) => phase),
    processes: processes.map(({ name, desired, phase }) => `${withoutIds(name)} ${desired} ${phase}`),
  }
}
// Whoever changes processes wakes it again.
const common = { reconciler: webAppReconciler, outcome, runs: 3 }
const task = (deploymentId: string, role: string) =>
  taskOf({
    name: `app-uat-${role}-${deploymentId.slice(-8)}`,
    command: 'true',
    keptBy: { kind: 'Deployment', id: deploymentId, role },
    creator: null,
  })
const running = ['uat running', 'production running']

describeReconciler('web-app', [
  {
    ...common,
    name: 'orders the set-up of a web app',
    async arrange(party) {
      return (await makeApp(party, { phase: 'provisioning', setUp: null })).environmentId
    },
    expected: {
      app: 'keep provisioning',
      spaces: ['uat provisioning', 'production provisioning'],
      deployments: [],
      processes: ['app-set-up run starting'],
    },
  },
  {
    ...common,
    name: 'has a web app ready when its set-up is done',
    async arrange(party) {
      return (await makeApp(party, { phase: 'provisioning' })).environmentId
    },
    expected: {
      app: 'keep ready',
      spaces: running,
      deployments: [],
      processes: ['app-set-up run succeeded'],
    },
  },
  {
    ...common,
    name: 'fails a web app with its set-up',
    async arrange(party) {
      return (await makeApp(party, { phase: 'provisioning', setUp: 'failed' })).environmentId
    },
    expected: {
      app: 'keep failed',
      spaces: ['uat failed', 'production failed'],
      deployments: [],
      processes: ['app-set-up run failed'],
    },
  },
  {
    ...common,
    name: 'begins a deployment',
    async arrange(party) {
      const app = await makeApp(party)
      await makeDeployment(party, app, 'pending')
      return app.environmentId
    },
    expected: {
      app: 'keep ready',
      spaces: running,
      deployments: ['preparing'],
      processes: ['app-set-up run succeeded', 'app-uat-prepare run starting'],
    },
  },
  {
    ...common,
    name: 'runs the release command of a deployment that is prepared',
    async arrange(party) {
      const app = await makeApp(party)
      const id = await makeDeployment(party, app, 'preparing')
      await keep(party, app, task(id, 'prepare'), 'succeeded')
      return app.environmentId
    },
    expected: {
      app: 'keep ready',
      spaces: running,
      deployments: ['releasing'],
      processes: [
        'app-set-up run succeeded',
        'app-uat-prepare run succeeded',
        'app-uat-release-1 run starting',
      ],
    },
  },
  {
    ...common,
    name: 'fails a deployment with its release command, and keeps that for who asks why',
    async arrange(party) {
      const app = await makeApp(party)
      const id = await makeDeployment(party, app, 'releasing')
      await keep(party, app, task(id, 'release-1'), 'failed')
      return app.environmentId
    },
    expected: {
      app: 'keep ready',
      spaces: running,
      deployments: ['failed'],
      processes: ['app-set-up run succeeded', 'app-uat-release-1 run failed'],
    },
  },
  {
    ...common,
    name: 'has requests led to a release, and removes what the one before ran',
    async arrange(party) {
      const app = await makeApp(party)
      const before = await makeDeployment(party, app, 'succeeded')
      await keep(party, app, task(before, 'switch'), 'succeeded')
      const id = await makeDeployment(party, app, 'switching', { isSwitching: true, released: 1 })
      await keep(party, app, task(id, 'switch'), 'succeeded')
      return app.environmentId
    },
    expected: {
      app: 'keep ready',
      spaces: running,
      deployments: ['succeeded', 'succeeded'],
      processes: ['app-set-up run succeeded', 'app-uat-tidy run starting'],
    },
  },
  {
    ...common,
    name: 'ends what runs for a web app that is to go, before its files are removed',
    async arrange(party) {
      const app = await makeApp(party, { desired: 'delete' })
      const id = await makeDeployment(party, app, 'preparing')
      await keep(party, app, task(id, 'prepare'), 'running')
      return app.environmentId
    },
    expected: {
      app: 'delete deleting',
      spaces: ['uat deleting', 'production deleting'],
      deployments: ['cancelled'],
      processes: ['app-uat-prepare delete deleting'],
    },
  },
  {
    ...common,
    name: 'removes the files of a web app that nothing runs for any more',
    async arrange(party) {
      return (await makeApp(party, { desired: 'delete', phase: 'deleting', setUp: null })).environmentId
    },
    expected: {
      app: 'delete deleting',
      spaces: ['uat provisioning', 'production provisioning'],
      deployments: [],
      processes: ['app-remove-production run starting', 'app-remove-uat run starting'],
    },
  },
  {
    ...common,
    name: 'forgets a web app whose machine is gone',
    async arrange(party) {
      const app = await makeApp(party, { machine: { phase: 'deleted', desired_phase: 'deleted' } })
      await makeDeployment(party, app, 'succeeded')
      return app.environmentId
    },
    expected: { app: null, spaces: [], deployments: [], processes: [] },
  },
])
