import {
  type AppConfiguration,
  type DeploymentPhase,
  type ProcessPhase,
  spaceTypes,
  type WebAppPhase,
} from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { transact } from '../../database/transact.ts'
import { emptyDeploymentStatus, type StoredDeploymentStatus } from '../deployment/index.ts'
import { emptyProcessStatus, type NewKeptProcess, processQueries } from '../process/index.ts'
import { emptySpaceStatus, type StoredSpaceStatus } from '../space/index.ts'
import { now, type Party } from '../world.fixture.ts'
import { setUpTask } from './tasks.ts'

/** An app of one process. */
export const configuration: AppConfiguration = {
  name: null,
  runtime: null,
  releaseCommands: ['make migrate'],
  processes: {
    web: {
      command: 'make serve',
      uatCommand: null,
      http: { port: 8_000, uatPort: 8_000, path: '/', healthCheck: null },
      instances: 1,
      isSingleton: false,
      cpus: null,
      memoryMebibytes: null,
    },
  },
}

export interface MadeApp {
  id: string
  environmentId: string
  runnerId: string
  spaceIds: { uat: string; production: string }
}

/** A web app on a machine that runs, whose runner is able to see to tasks. */
export async function makeApp(
  party: Party,
  {
    phase = 'ready',
    desired = 'keep',
    setUp = 'succeeded',
    machine = {},
    uat = {},
  }: {
    phase?: WebAppPhase
    desired?: 'keep' | 'delete'
    setUp?: ProcessPhase | null
    machine?: Parameters<Party['environment']>[2]
    uat?: { status?: Partial<StoredSpaceStatus>; desired?: 'running' | 'stopped' }
  } = {},
): Promise<MadeApp> {
  const { database, organizationId } = party
  const runnerId = await party.runner({ work_kinds: '["environment","process","route"]' })
  const environmentId = await party.environment(await party.pool(await party.project()), 'running', {
    runner_id: runnerId,
    has_processes: true,
    has_web_app: true,
    ...machine,
  })
  const id = newId()
  const name = `shop-${id.slice(-8)}`
  const spaceIds = { uat: newId(), production: newId() }
  const own = { organization_id: organizationId, creator: null, labels: '{}' }
  const spec = {
    displayName: '',
    emoji: '',
    runtime: 'python3',
    webServer: 'nginx',
    database: null,
    cache: null,
  } as const
  await database
    .insertInto('web_apps')
    .values({
      ...own,
      id,
      name,
      spec: JSON.stringify(spec),
      status: JSON.stringify({ spaceIds, waitsFor: null, failure: null, observedSpecVersion: 1 }),
      environment_id: environmentId,
      phase,
      deadline: phase === 'provisioning' ? new Date(now.getTime() + 60_000) : null,
      desired,
    })
    .execute()
  for (const type of spaceTypes)
    await database
      .insertInto('spaces')
      .values({
        ...own,
        id: spaceIds[type],
        name: `${name}-${type}`,
        spec: JSON.stringify({ variables: {}, cronJobs: [] }),
        status: JSON.stringify({ ...emptySpaceStatus, ...(type === 'uat' ? uat.status : {}) }),
        web_app_id: id,
        environment_id: environmentId,
        type,
        phase: phase === 'ready' ? 'running' : 'provisioning',
        deadline: null,
        desired: type === 'uat' ? (uat.desired ?? 'running') : 'running',
        route_id: null,
        current_deployment_id: null,
      })
      .execute()
  const made = { id, environmentId, runnerId, spaceIds }
  if (setUp !== null) await keep(party, made, setUpTask({ id, creator: null, spec }), setUp)
  return made
}

/** A task or service that is kept, as its runner has reported it. */
export async function keep(
  { database, organizationId }: Party,
  { environmentId, runnerId }: MadeApp,
  { name, spec }: NewKeptProcess,
  phase: ProcessPhase,
): Promise<void> {
  const isActive = phase === 'running' || phase === 'starting'
  await transact(database, (tx) =>
    processQueries[spec.kind].insert(
      tx,
      { organizationId, creator: null, name, labels: {}, spec },
      {
        environment_id: environmentId,
        phase,
        phase_since: new Date(now.getTime() - 60_000),
        desired: 'run',
        request: 1,
        runner_id: isActive ? runnerId : null,
        status: emptyProcessStatus,
      },
    ),
  )
}

/** A deployment to uat. */
export async function makeDeployment(
  { database, organizationId }: Party,
  { id: webAppId, environmentId, spaceIds }: MadeApp,
  phase: DeploymentPhase,
  status: Partial<StoredDeploymentStatus> = {},
): Promise<string> {
  const [id, artifactId] = [newId(), newId()]
  await database
    .insertInto('artifacts')
    .values({
      id: artifactId,
      organization_id: organizationId,
      digest: id.replaceAll('-', '').padEnd(64, '0'),
      bytes: '1000',
      configuration: JSON.stringify(configuration) as unknown as AppConfiguration,
    })
    .execute()
  const isOver = phase === 'succeeded' || phase === 'failed' || phase === 'cancelled'
  await database
    .insertInto('deployments')
    .values({
      id,
      organization_id: organizationId,
      creator: null,
      labels: '{}',
      name: `shop-uat-${id.slice(-8)}`,
      spec: JSON.stringify({
        desired: 'run',
        origin: 'upload',
        ofDeploymentId: null,
        displayName: '',
        variables: {},
      }),
      status: JSON.stringify({ ...emptyDeploymentStatus, ...status }),
      space_id: spaceIds.uat,
      web_app_id: webAppId,
      environment_id: environmentId,
      artifact_id: artifactId,
      release_id: id,
      phase,
      deadline: isOver ? null : new Date(now.getTime() + 60_000),
      finished_at: isOver ? now : null,
    })
    .execute()
  if (phase === 'succeeded')
    await database
      .updateTable('spaces')
      .set({ current_deployment_id: id })
      .where('id', '=', spaceIds.uat)
      .execute()
  return id
}
