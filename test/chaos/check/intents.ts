import type { History, Violation } from './history.ts'

/** Every change confirmed to users holds, and the machines that follow from it exist. */
export function checkIntents(history: History): Violation[] {
  const violate = (message: string): Violation => ({ rule: 'lost intent', message, lasting: false })
  return [
    ...lostProjects(history),
    ...lostEnvironments(history),
    ...lostClaims(history),
    ...unfinished(history),
  ].map(violate)
}

function* lostProjects({ intents, records, excused }: History): Generator<string> {
  for (const wanted of intents.projects) {
    const name = `project ${wanted.name} (${wanted.id})`
    const exists = records.projects.some(({ id }) => id === wanted.id)
    if (wanted.deleted) {
      if (exists) yield `${name} was deleted and is still there`
      continue
    }
    if (!exists) {
      yield `${name} is gone`
      continue
    }
    const pools = records.pools.filter(({ projectId }) => projectId === wanted.id)
    const [pool] = pools
    if (pool === undefined || pools.length > 1) {
      yield `${name} has ${pools.length} pools`
      continue
    }
    if (pool.min !== wanted.min)
      yield `the pool of ${name} has min ${pool.min}; ${wanted.min} was acknowledged`
    if (pool.phase === 'failed' && pool.failure !== null && excused.failedMachines) continue
    yield* wrongTiers({ records }, pool, wanted, name)
    if (pool.phase !== 'ready') yield `the pool of ${name} is ${pool.phase}`
  }
}

function* wrongTiers(
  { records }: Pick<History, 'records'>,
  pool: History['records']['pools'][number],
  wanted: History['intents']['projects'][number],
  name: string,
): Generator<string> {
  const settled = records.environments.filter(
    ({ poolId, claimId, phase, desiredPhase, unreachable, paused }) =>
      poolId === pool.id && claimId === null && phase === desiredPhase && !unreachable && !paused,
  )
  const ready = settled.filter(({ phase }) => phase === 'running').length
  const resting = settled.filter(({ phase }) => phase === 'suspended' || phase === 'stopped').length
  if (ready + resting !== wanted.min)
    yield `the pool of ${name} has ${ready} ready machines and ${resting} at rest; ${wanted.min} are wanted`
  const running = wanted.running ?? wanted.min
  // What a host could not suspend runs on for a while.
  if (ready < running || (ready > running && pool.restsAgainAt === null))
    yield `of the pool of ${name} ${ready} machines run; ${running} are to run`
}

function* lostEnvironments({ intents, records, excused }: History): Generator<string> {
  for (const wanted of intents.environments) {
    const row = records.environments.find(({ id }) => id === wanted.id)
    const phase = row?.phase ?? 'gone'
    if (phase === wanted.desiredPhase) continue
    // A host that could not suspend it has it run on, with the cause.
    if (wanted.desiredPhase === 'suspended' && phase === 'running' && row?.failure != null) continue
    if (intents.projects.some(({ id, deleted }) => id === row?.projectId && deleted)) continue
    if (phase === 'failed' && (excused.failedMachines || mayFail(records, row))) continue
    yield `environment ${wanted.id} is ${phase}; ${wanted.desiredPhase} was acknowledged`
  }
}

function* lostClaims({ intents, records, excused }: History): Generator<string> {
  for (const wanted of intents.claims) {
    const row = records.claims.find(({ id }) => id === wanted.id)
    if (row === undefined) {
      yield `claim ${wanted.id} is gone`
      continue
    }
    const environment = records.environments.find(({ id }) => id === row.environmentId)
    const over = environment === undefined || environment.phase === 'deleted'
    if (wanted.released || goneWithProject(intents, wanted.projectId)) {
      if (!over) yield `claim ${wanted.id} was released and its machine is ${environment.phase}`
      if (row.phase !== 'released' && row.phase !== 'failed')
        yield `claim ${wanted.id} was released and is ${row.phase}`
      continue
    }
    if (row.phase === 'failed' && row.failure !== null && excused.failedMachines) continue
    if (environment?.phase === 'failed' && excused.failedMachines) continue
    if (row.phase === 'failed' && row.failure !== null && mayFail(records, environment)) continue
    if (row.phase !== 'bound') yield `claim ${wanted.id} is ${row.phase}`
    if (environment?.phase !== 'running')
      yield `the machine of claim ${wanted.id} is ${environment?.phase ?? 'gone'}`
    else if (environment.claimId !== wanted.id)
      yield `the machine of claim ${wanted.id} is not marked as claimed`
  }
}

/** Claimed environments are deleted with their project only by force. */
function goneWithProject(intents: History['intents'], projectId: string): boolean {
  return intents.projects.some(({ id, deleted, forced }) => id === projectId && deleted && forced)
}

/** A machine that starts from a snapshot fails where that failed or was deleted: it is not started from its image. */
function mayFail(
  { snapshots }: History['records'],
  environment: History['records']['environments'][number] | undefined,
): boolean {
  // What Hearth chose by itself is left where it cannot be used.
  if (environment?.chosenPrebuildId != null) return false
  const source = snapshots.find(({ id }) => id === environment?.snapshotId)
  return source !== undefined && source.phase !== 'ready'
}

const canSpare = ({ enabled, min, phase }: History['records']['pools'][number]) =>
  enabled && min > 0 && phase === 'ready'

const waiting = ['pending', 'provisioning', 'stopping', 'starting', 'suspending', 'resuming', 'deleting']

/** Once the faults are over, everything comes to rest. */
function* unfinished({ records, excused }: History): Generator<string> {
  for (const environment of records.environments) {
    const { id, phase, failure, paused } = environment
    if (paused) yield `machine ${id} stands still, and there is room again`
    if (waiting.includes(phase)) yield `machine ${id} is still ${phase}`
    if (phase === 'failed' && !excused.failedMachines && !mayFail(records, environment))
      yield `machine ${id} failed (${failure}), and no fault of this run may make one fail`
  }
  for (const { id, phase } of records.claims) if (phase === 'pending') yield `claim ${id} is still pending`
  for (const { name, phase } of records.runners) {
    // A degraded runner recovers through a probe: a member that a pool makes in addition.
    if (phase === 'degraded' && excused.failedMachines && !records.pools.some(canSpare)) continue
    if (phase !== 'active') yield `runner ${name} is ${phase}`
  }
  for (const { id, operation, phase } of records.jobs)
    if (phase === 'running') yield `job ${id} (${operation}) is still running`
  if (records.unsent > 0) yield `${records.unsent} committed changes are not sent`
}
