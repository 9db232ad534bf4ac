import {
  type EnvironmentPhase,
  type OnHostLoss,
  type PrebuildPhase,
  type ProcessPhase,
  type RoutePhase,
  type RunnerFacts,
  type RunnerPhase,
  type SnapshotPhase,
  taskCreateSchema,
} from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { Insertable, Updateable } from 'kysely'
import type { Database } from '../database/connection.ts'
import type { ClaimTable } from './claim/table.ts'
import { buildPlan, configurationOf } from './environment/index.ts'
import type { EnvironmentTable } from './environment/table.ts'
import { classSpec, projectSpec } from './party-specs.fixture.ts'
import { emptyPrebuildStatus, type PrebuildTable } from './prebuild/table.ts'
import { emptyProcessStatus, type ProcessTable } from './process/table.ts'
import type { ProjectTable } from './project/table.ts'
import { emptyRouteStatus, type StoredWake } from './route/table.ts'
import type { RunnerTable } from './runner/table.ts'
import type { SnapshotHolderTable, SnapshotTable } from './snapshot/table.ts'
import type { WarmPoolTable } from './warm-pool/table.ts'

export const now = new Date('2026-01-01T12:00:00Z')
export const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1000)

export const named = (id: string, organization_id: string, name: string) => ({
  id,
  organization_id,
  name: `${name}-${id.slice(-6)}`,
  creator: null,
  labels: '{}',
})

/** The plan for pools of these projects and classes. */
const presentPlan = buildPlan(projectSpec, classSpec, { setup: [], branch: null })

/** An organization and its resources. Unless changed, they look as after some time of ordinary use. */
export class Party {
  constructor(
    readonly database: Database,
    readonly organizationId: string,
  ) {}

  async runner({
    layerAddress,
    memoryMebibytes = 16_384,
    facts: otherFacts = {},
    ...change
  }: Updateable<RunnerTable> & {
    /** Where others copy its layers. */
    layerAddress?: { host: string; port: number }
    memoryMebibytes?: number
    facts?: Partial<RunnerFacts>
  } = {}): Promise<string> {
    const id = newId()
    const facts = {
      virtualization: 'synthetic',
      virtualCpus: 8,
      memoryMebibytes,
      diskGibibytes: 200,
      images: ['debian-12'],
      agentVersion: '0',
      suspends: true,
      bringsInputs: true,
      sealingKey: '',
      ...(layerAddress === undefined ? {} : { layerAddress }),
      ...otherFacts,
    }
    await this.database
      .insertInto('runners')
      .values({
        ...named(id, this.organizationId, 'runner'),
        spec: JSON.stringify({ region: 'default', scheduling: 'enabled' }),
        status: JSON.stringify({ facts, observedSpecVersion: 1 }),
        phase: 'active' satisfies RunnerPhase,
        epoch: 1,
        last_seen_at: now,
      })
      .execute()
    await this.change('runners', id, change)
    return id
  }

  async project(change: Updateable<ProjectTable> & { onHostLoss?: OnHostLoss } = {}): Promise<string> {
    const { onHostLoss = 'wait', ...columns } = change
    const id = newId()
    await this.database
      .insertInto('projects')
      .values({
        ...named(id, this.organizationId, 'project'),
        spec: JSON.stringify({ ...projectSpec, onHostLoss }),
        status: '{}',
      })
      .execute()
    await this.change('projects', id, columns)
    return id
  }

  async environmentClass(): Promise<string> {
    const id = newId()
    await this.database
      .insertInto('environment_classes')
      .values({ ...named(id, this.organizationId, 'class'), spec: JSON.stringify(classSpec), status: '{}' })
      .execute()
    return id
  }

  async pool(projectId: string, change: Updateable<WarmPoolTable> & { min?: number } = {}): Promise<Pool> {
    const { min = 2, ...columns } = change
    const id = newId()
    const classId = await this.environmentClass()
    const counted = { ready: 0, provisioning: 0, failed: 0, claimed: 0 }
    const status = {
      ...counted,
      consecutiveFailures: 0,
      retryAt: null,
      failure: null,
      observedSpecVersion: 1,
    }
    await this.database
      .insertInto('warm_pools')
      .values({
        ...named(id, this.organizationId, 'pool'),
        spec: JSON.stringify({ enabled: true, min, branch: null, maxAgeMinutes: null, setup: [] }),
        status: JSON.stringify(status),
        project_id: projectId,
        environment_class_id: classId,
        phase: 'filling',
        configuration: null,
        boots_since: null,
      })
      .execute()
    await this.change('warm_pools', id, columns)
    return { id, projectId, classId }
  }

  /** A machine in the given phase with the given owner; one that runs or ran has a `readyAt`. */
  async environment(
    { projectId, classId }: Pick<Pool, 'projectId' | 'classId'>,
    phase: EnvironmentPhase,
    change: Partial<Insertable<EnvironmentTable>> = {},
  ): Promise<string> {
    const id = newId()
    const ready = phase === 'running' || phase === 'stopping' || phase === 'stopped'
    await this.database
      .insertInto('environments')
      .values({
        ...named(id, this.organizationId, 'machine'),
        spec: JSON.stringify({ plan: presentPlan }),
        status: JSON.stringify({
          address: ready ? { host: '127.0.0.1', port: 22, user: 'root', hostKey: 'ssh-ed25519 AAAA' } : null,
          identity: null,
          steps: [],
          placement: null,
          readyAt: ready ? secondsAgo(60).toISOString() : null,
          failedAt: phase === 'failed' ? secondsAgo(60).toISOString() : null,
          failure: phase === 'failed' ? { code: 'command_failed', message: 'npm ci ended with 1' } : null,
          observedSpecVersion: 1,
          leastGeneration: 0,
        }),
        project_id: projectId,
        environment_class_id: classId,
        owner_kind: null,
        owner_id: null,
        runner_id: null,
        claim_id: null,
        holder_id: null,
        keep_seconds: null,
        remove_at: null,
        boot_ended_at: ready || phase === 'failed' ? secondsAgo(60) : null,
        phase,
        desired_phase: 'running',
        deadline: null,
        configuration: configurationOf(presentPlan),
        created_at: secondsAgo(600),
        phase_since: secondsAgo(60),
        ...change,
      })
      .execute()
    return id
  }

  /** A snapshot of a machine in the given phase, with one runner that makes or holds it. */
  async snapshot(
    pool: Pick<Pool, 'projectId' | 'classId'>,
    phase: SnapshotPhase,
    change: Partial<Insertable<SnapshotTable>> & { holder?: Partial<Insertable<SnapshotHolderTable>> } = {},
  ): Promise<string> {
    const { holder = {}, ...columns } = change
    const id = newId()
    const runner_id = holder.runner_id ?? (await this.runner())
    const environmentId = await this.environment(pool, 'running', { runner_id })
    const { image, virtualCpus, memoryMebibytes, diskGibibytes } = presentPlan
    await this.database
      .insertInto('snapshots')
      .values({
        ...named(id, this.organizationId, 'snapshot'),
        spec: JSON.stringify({ memory: true }),
        status: JSON.stringify({
          machine: { image, virtualCpus, memoryMebibytes, diskGibibytes },
          held: {},
          planDigest: configurationOf(presentPlan),
          bytes: null,
          memory: null,
          pausedMilliseconds: null,
          readyAt: null,
          failure: null,
          observedSpecVersion: 1,
        }),
        project_id: pool.projectId,
        environment_id: environmentId,
        claim_id: null,
        parent_id: null,
        holder_id: null,
        purpose: 'kept',
        phase,
        desired_phase: 'ready',
        deadline: phase === 'ready' ? null : new Date(now.getTime() + 60_000),
        deletion: null,
        ...columns,
      })
      .execute()
    const source = JSON.stringify({ kind: 'environment', environmentId, memory: true })
    await this.holder(id, { phase: 'creating', source, ...holder, runner_id })
    return id
  }

  /** A runner that has the layer of a snapshot, or is to have it. */
  async holder(
    snapshotId: string,
    holder: Omit<Insertable<SnapshotHolderTable>, 'snapshot_id' | 'organization_id'>,
  ): Promise<void> {
    await this.database
      .insertInto('snapshot_holders')
      .values({ snapshot_id: snapshotId, organization_id: this.organizationId, ...holder })
      .execute()
  }

  /** A prebuild in the given phase, of the project and class of a pool. */
  async prebuild(
    { projectId, classId }: Pick<Pool, 'projectId' | 'classId'>,
    phase: PrebuildPhase,
    change: Partial<Insertable<PrebuildTable>> = {},
  ): Promise<string> {
    const id = newId()
    const trigger = { kind: 'manual', by: null, ref: null, commit: null }
    await this.database
      .insertInto('prebuilds')
      .values({
        ...named(id, this.organizationId, 'prebuild'),
        spec: JSON.stringify({
          trigger,
          executorId: null,
          timeoutSeconds: 3_600,
          incremental: true,
          branch: null,
        }),
        status: JSON.stringify(emptyPrebuildStatus),
        project_id: projectId,
        environment_class_id: classId,
        phase,
        desired_phase: 'completed',
        deadline: new Date(now.getTime() + 60_000),
        started_at: null,
        ended_at: null,
        environment_id: null,
        snapshot_id: null,
        based_on_id: null,
        configuration: 'as-it-was',
        ...change,
      })
      .execute()
    return id
  }

  /** A task of an environment, in the given phase. */
  async task(
    environmentId: string,
    phase: ProcessPhase,
    change: Partial<Insertable<ProcessTable>> = {},
  ): Promise<string> {
    const id = newId()
    const {
      environment: _,
      claim: __,
      ...definition
    } = taskCreateSchema.parse({
      spec: { environment: environmentId, command: 'make' },
    }).spec
    await this.database
      .insertInto('processes')
      .values({
        ...named(id, this.organizationId, 'task'),
        spec: JSON.stringify({ ...definition, kind: 'task', on: 'manual', isDeclared: false }),
        status: JSON.stringify(emptyProcessStatus),
        kind: 'task',
        environment_id: environmentId,
        phase,
        desired: 'run',
        request: 1,
        ...change,
      })
      .execute()
    return id
  }

  /** A route to a port of an environment; one that a runner has, has the host name of its id. */
  async route(
    environmentId: string,
    phase: RoutePhase,
    { runner_id = null, wake = null }: { runner_id?: string | null; wake?: StoredWake | null } = {},
  ): Promise<string> {
    const id = newId()
    const proxyPort = runner_id === null ? null : 443
    const columns = named(id, this.organizationId, 'route')
    await this.database
      .insertInto('routes')
      .values({
        ...columns,
        spec: JSON.stringify({ port: 3_000, access: 'private' }),
        status: JSON.stringify({ ...emptyRouteStatus, proxyPort, wake }),
        environment_id: environmentId,
        claim_id: null,
        runner_id,
        host: runner_id === null ? null : `${columns.name}.hearth.localhost`,
        phase,
        deadline: null,
        desired: 'open',
        ticket_key: '',
        signing_key: Buffer.alloc(0),
        token_hash: null,
      })
      .execute()
    return id
  }

  async claim(
    poolId: string,
    environmentId: string,
    change: Partial<Insertable<ClaimTable>> = {},
  ): Promise<string> {
    const id = newId()
    await this.database
      .insertInto('claims')
      .values({
        ...named(id, this.organizationId, 'claim'),
        spec: JSON.stringify({ fallback: 'cold', publicKey: 'ssh-ed25519 AAAA' }),
        status: JSON.stringify({ source: 'cold', boundAt: null, failure: null }),
        warm_pool_id: poolId,
        environment_id: environmentId,
        phase: 'pending',
        ...change,
      })
      .execute()
    await this.database
      .updateTable('environments')
      .set({ claim_id: id })
      .where('id', '=', environmentId)
      .execute()
    return id
  }

  async change(
    table: 'runners' | 'projects' | 'warm_pools' | 'prebuilds',
    id: string,
    change: object,
  ): Promise<void> {
    if (Object.keys(change).length === 0) return
    await this.database.updateTable(table).set(change).where('id', '=', id).execute()
  }
}

export interface Pool {
  id: string
  projectId: string
  classId: string
}
