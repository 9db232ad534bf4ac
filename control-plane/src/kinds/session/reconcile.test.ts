import { defaultCiLimits } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { Insertable } from 'kysely'
import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { now, type Party, secondsAgo } from '../world.fixture.ts'
import { sessionReconciler } from './reconcile.ts'
import { target } from './session.fixture.ts'
import type { SessionTable, StoredSessionSpec, StoredSessionStatus } from './table.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const { phase, status, lease_ends_at } = await database
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const { done, error, failure, targets } = status
  return {
    phase,
    done,
    error,
    failure: failure?.code ?? null,
    waits: lease_ends_at !== null,
    targets: targets.map(({ state }) => state.kind).sort(),
  }
}
const common = { reconciler: sessionReconciler, outcome }

type Change = Partial<Insertable<SessionTable>> & {
  written?: Partial<StoredSessionSpec>
  seen?: Partial<StoredSessionStatus>
}

/** An open session of CI a minute after its beginning, whose caller lives. */
async function session(party: Party, { written, seen, ...columns }: Change = {}): Promise<string> {
  const id = newId()
  const spec: StoredSessionSpec = {
    file: 'hearth.yaml',
    exitCondition: 'ci',
    ci: defaultCiLimits,
    detached: false,
    ...written,
  }
  const status: StoredSessionStatus = {
    processId: 7,
    startedAt: secondsAgo(60).toISOString(),
    reported: [target('(hearth.yaml):update', 'well'), target('push:update', 'active')],
    targets: [],
    done: false,
    error: null,
    failure: null,
    observedSpecVersion: 1,
    ...seen,
  }
  await party.database
    .insertInto('sessions')
    .values({
      id,
      organization_id: party.organizationId,
      name: `session-${id.slice(-6)}`,
      creator: null,
      labels: '{}',
      spec: JSON.stringify(spec),
      status: JSON.stringify(status),
      project_id: null,
      environment_id: null,
      claim_id: null,
      phase: 'open',
      desired: 'open',
      phase_since: secondsAgo(60),
      lease_ends_at: new Date(now.getTime() + 30_000),
      revision: '1',
      ...columns,
    })
    .execute()
  return id
}

const manual = { exitCondition: 'manual', ci: null } as const
const well = [target('(hearth.yaml):update', 'well'), target('push:update', 'well')]

describeReconciler('session', [
  {
    ...common,
    name: 'ends one whose targets are all well',
    arrange: (party) => session(party, { seen: { reported: well } }),
    expected: {
      phase: 'ended',
      done: true,
      error: null,
      failure: null,
      waits: false,
      targets: ['terminated', 'terminated'],
    },
  },
  {
    ...common,
    name: 'ends one whose caller is silent, with an error',
    arrange: (party) => session(party, { lease_ends_at: secondsAgo(1) }),
    expected: {
      phase: 'ended',
      done: true,
      error: 'its caller went silent: it had to renew its lease by 2026-01-01 11:59:59 UTC',
      failure: 'caller_silent',
      waits: false,
      targets: ['terminated', 'terminated'],
    },
  },
  {
    ...common,
    name: 'ends one that takes longer than it may',
    arrange: (party) => session(party, { seen: { startedAt: secondsAgo(1_800).toISOString() } }),
    expected: {
      phase: 'ended',
      done: true,
      error: 'Timeout after 30m0s: 1 resources not ready (push:update)',
      failure: null,
      waits: false,
      targets: ['active', 'terminated'],
    },
  },
  {
    ...common,
    name: 'ends one that is to end',
    arrange: (party) => session(party, { desired: 'ended', written: manual }),
    expected: {
      phase: 'ended',
      done: false,
      error: null,
      failure: null,
      waits: false,
      targets: ['active', 'terminated'],
    },
  },
  {
    ...common,
    name: 'ends one whose machine has failed',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      return session(party, { environment_id: await party.environment(pool, 'failed') })
    },
    expected: {
      phase: 'ended',
      done: true,
      error: 'the machine cannot be used: npm ci ended with 1',
      failure: null,
      waits: false,
      targets: ['active', 'terminated'],
    },
  },
  {
    ...common,
    name: 'ends one whose claim was released',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const environmentId = await party.environment(pool, 'running')
      const claim_id = await party.claim(pool.id, environmentId, { phase: 'released', environment_id: null })
      return session(party, { claim_id })
    },
    expected: {
      phase: 'ended',
      done: true,
      error: 'the machine cannot be used: its claim was released',
      failure: null,
      waits: false,
      targets: ['active', 'terminated'],
    },
  },
  {
    ...common,
    name: 'ends one of whose tasks has failed, and passes over what had ended before it began',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const environment_id = await party.environment(pool, 'running')
      await party.task(environment_id, 'failed', { phase_since: secondsAgo(3_600) })
      await party.task(environment_id, 'failed', { phase_since: secondsAgo(10) })
      return session(party, { environment_id })
    },
    expected: {
      phase: 'ended',
      done: true,
      error: 'it did not start',
      failure: null,
      waits: false,
      targets: ['active', 'none', 'terminated', 'terminated'],
    },
  },
  {
    ...common,
    name: 'shows the pools and prebuilds of the project of a manual one',
    async arrange(party) {
      const project_id = await party.project()
      const pool = await party.pool(project_id)
      await party.prebuild(pool, 'pending')
      return session(party, { project_id, written: manual })
    },
    expected: {
      phase: 'open',
      done: false,
      error: null,
      failure: null,
      waits: true,
      targets: ['active', 'active', 'terminated', 'waiting'],
    },
  },
])
