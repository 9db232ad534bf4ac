import { type AppConfiguration, deploymentSeconds, type Failure } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { findArtifact, releaseArtifacts } from '../artifact/index.ts'
import type { NewKeptProcess } from '../process/index.ts'
import { changeSpaceStatus, keptReleases, type SpaceRow } from '../space/index.ts'
import { type DeploymentAction, decide } from './decide.ts'
import { incarnationOf, lookAt, plannedOf, type Surroundings, singletonsOf, toMachine } from './look.ts'
import { prepareTask, type ReleasePlan, releaseTask, serviceTasks, switchTask } from './plan.ts'
import { deployments, forgetOld, lockUnderway, withoutRelease } from './queries.ts'
import { type DeploymentRow, toDeployment } from './table.ts'
import { changeDeployment, type DeploymentChange } from './write.ts'

type Given = Pick<Surroundings, 'environment' | 'app' | 'kept' | 'now'>

export interface SettledDeployments {
  space: SpaceRow
  underway: readonly DeploymentRow[]
  /** When to look again. */
  at: readonly Date[]
}

/** Does what follows for the deployments of a space that are on their way, until nothing does; all must be locked. */
export async function settleDeployments(
  tx: DatabaseTransaction,
  space: SpaceRow,
  given: Given,
): Promise<SettledDeployments> {
  let present: Present = { space, underway: await lockUnderway(tx, space.id) }
  const at: Date[] = []
  for (let step = 0; step < 64; step += 1) {
    const next = await settleOne(tx, present, given, at)
    if (next === null) {
      at.push(...present.underway.flatMap(({ deadline }) => deadline ?? []))
      return { ...present, at }
    }
    present = next
  }
  throw new Error(`the deployments of space ${space.id} do not settle`)
}

type Present = Pick<SettledDeployments, 'space' | 'underway'>

/** Takes one step of one of them; null when there is none to take. */
async function settleOne(
  tx: DatabaseTransaction,
  { space, underway }: Present,
  given: Given,
  at: Date[],
): Promise<Present | null> {
  const current = await readCurrent(tx, space)
  for (const row of underway) {
    const configuration = await readConfiguration(tx, row)
    if (configuration === null) throw new Error(`the artifact of deployment ${row.id} is gone`)
    const around = { ...given, space, underway, configuration, current }
    const action = decide(lookAt(row, around), toMachine(given.environment), given.now)
    if (action === null) continue
    if (action.do === 'look-again') {
      at.push(action.at)
      continue
    }
    const after = await carryOut(tx, row, action, around)
    const rows = underway.map((one) => (one.id === row.id ? after.row : one))
    return { space: after.space, underway: rows.filter(({ finished_at }) => finished_at === null) }
  }
  return null
}

async function readCurrent(tx: DatabaseTransaction, space: SpaceRow): Promise<Surroundings['current']> {
  if (space.current_deployment_id === null) return null
  const row = await deployments.readById(tx, space.current_deployment_id)
  const configuration = row === undefined ? null : await readConfiguration(tx, row)
  return row === undefined || configuration === null ? null : { row, configuration }
}

async function readConfiguration(
  tx: DatabaseTransaction,
  { organization_id, artifact_id }: DeploymentRow,
): Promise<AppConfiguration | null> {
  return (await findArtifact(tx, organization_id, artifact_id))?.configuration ?? null
}

const planOf = (
  row: DeploymentRow,
  { space, app }: Pick<Surroundings, 'space' | 'app'>,
  configuration: AppConfiguration,
): ReleasePlan => ({
  deploymentId: row.id,
  releaseId: row.release_id,
  creator: row.creator,
  type: space.type,
  app,
  variables: row.spec.variables,
  configuration,
})

interface After {
  row: DeploymentRow
  space: SpaceRow
}

async function carryOut(
  tx: DatabaseTransaction,
  row: DeploymentRow,
  action: Exclude<DeploymentAction, { do: 'look-again' }>,
  around: Surroundings,
): Promise<After> {
  const { space, kept, now, configuration } = around
  const plan = planOf(row, around, configuration)
  const only = async (changed: Promise<DeploymentRow>): Promise<After> => ({ row: await changed, space })
  switch (action.do) {
    case 'cancel': {
      const failure = { code: 'cancelled' as const, message: action.message }
      const change = { phase: 'cancelled' as const, status: { failure }, said: action.message, now }
      return end(tx, row, change, around)
    }
    case 'wait':
      return only(changeDeployment(tx, row, { status: { waitsFor: action.waitsFor }, now }))
    case 'enter': {
      const { phase, deadline } = action
      const status = phase === 'switching' ? { isSwitching: true } : {}
      return only(changeDeployment(tx, row, { phase, deadline, status, said: sayings[phase], now }))
    }
    case 'run':
      return only(runTask(tx, row, plan, around))
    case 'note-released': {
      for (const task of kept.of(row.id)) if (task.kind === 'task') await kept.remove(task)
      const released = row.status.released + 1
      const said = `release command ${released} of ${configuration.releaseCommands.length} is done`
      return only(changeDeployment(tx, row, { status: { released }, said, now }))
    }
    case 'end-singletons': {
      const singletons = singletonsOf(row, around)
      for (const service of singletons) await kept.end(service)
      const endedRoles = [...new Set(singletons.map(({ spec }) => spec.keptBy?.role ?? ''))]
      const said = `ending ${singletons.map(({ name }) => name).join(', ')}, of which there may be only one`
      return only(changeDeployment(tx, row, { status: { endedRoles }, said, now }))
    }
    case 'start': {
      const failure = await kept.make(serviceTasks(plan))
      if (failure !== null) return only(revert(tx, row, failure, around))
      return only(changeDeployment(tx, row, { status: { step: null }, now }))
    }
    case 'succeed':
      return succeed(tx, row, around)
    case 'revert':
      return only(revert(tx, row, action.failure, around))
    case 'remove-services': {
      const names = new Set(plannedOf(row, around).map(({ name }) => name))
      for (const service of kept.of(row.id)) if (names.has(service.name)) await kept.remove(service)
      return { row, space }
    }
    case 'fail': {
      const { failure } = action
      const phase = row.spec.desired === 'cancel' && failure.code === 'cancelled' ? 'cancelled' : 'failed'
      return end(tx, row, { phase, status: { failure }, said: failure.message, now }, around)
    }
    default:
      return assertNever(action)
  }
}

const sayings = {
  preparing: 'unpacking the archive, and installing what it depends on',
  releasing: 'running the release commands',
  starting: 'starting its processes',
  switching: 'all its processes are ready: leading requests to them',
} as const

async function runTask(
  tx: DatabaseTransaction,
  row: DeploymentRow,
  plan: ReleasePlan,
  around: Surroundings,
): Promise<DeploymentRow> {
  const { kept, now } = around
  const task = await taskFor(tx, row, plan, around)
  const failure = await kept.make([task])
  if (failure === null) return changeDeployment(tx, row, { status: { step: task.name }, now })
  // Without a way back nothing can be led back.
  if (row.phase === 'reverting') return changeDeployment(tx, row, { status: { isSwitching: false }, now })
  return revert(tx, row, failure, around)
}

async function taskFor(
  tx: DatabaseTransaction,
  row: DeploymentRow,
  plan: ReleasePlan,
  around: Surroundings,
): Promise<NewKeptProcess> {
  switch (row.phase) {
    case 'preparing': {
      const artifact = await findArtifact(tx, row.organization_id, row.artifact_id)
      if (artifact?.digest == null) throw new Error(`the artifact of deployment ${row.id} is gone`)
      const { id: artifactId, digest, bytes, unpacked_bytes: unpackedBytes } = artifact
      const sizes = { bytes: Number(bytes), unpackedBytes: Number(unpackedBytes) }
      return prepareTask(plan, { artifactId, digest, ...sizes })
    }
    case 'releasing': {
      const { released } = row.status
      return releaseTask(plan, released, plan.configuration.releaseCommands[released] ?? '')
    }
    case 'switching':
      return switchTask(plan)
    case 'reverting': {
      const { current } = around
      if (current === null) break
      return switchTask(planOf(current.row, around, current.configuration), plan)
    }
    default:
  }
  throw new Error(`deployment ${row.id} has no task while it is ${row.phase}`)
}

/** What it has made goes, but for the task that it failed with. */
async function revert(
  tx: DatabaseTransaction,
  row: DeploymentRow,
  failure: Failure,
  { kept, now }: Surroundings,
): Promise<DeploymentRow> {
  for (const task of kept.of(row.id))
    if (task.kind === 'task' && task.phase !== 'failed') await kept.remove(task)
  const deadline = new Date(now.getTime() + deploymentSeconds.reverting * 1000)
  return changeDeployment(tx, row, { phase: 'reverting', deadline, status: { failure }, now })
}

/** It has ended: what it kept besides the artifact is its space's to remove. */
async function end(
  tx: DatabaseTransaction,
  row: DeploymentRow,
  change: DeploymentChange,
  { space, now }: Surroundings,
): Promise<After> {
  const ended = await changeDeployment(tx, row, change)
  await releaseArtifacts(tx, row.id)
  await forgetOlder(tx, space)
  return { row: ended, space: await noteLast(tx, space, ended, now) }
}

async function succeed(tx: DatabaseTransaction, row: DeploymentRow, around: Surroundings): Promise<After> {
  const { space, current, environment, now } = around
  if (current !== null) await changeDeployment(tx, current.row, { status: { isCurrent: false }, now })
  const said = 'requests are led to it'
  const status = { isCurrent: true, failure: null, step: null }
  const done = await changeDeployment(tx, row, { phase: 'succeeded', status, said, now })
  const releases = keptReleases(space.status.releases, row.release_id)
  const changed = await changeSpaceStatus(tx, space, {
    currentDeploymentId: row.id,
    status: { releases, incarnation: incarnationOf(environment) },
    now,
  })
  await forgetOlder(tx, changed)
  for (const id of await withoutRelease(tx, space.id, releases)) await releaseArtifacts(tx, id)
  return { row: done, space: await noteLast(tx, changed, done, now) }
}

/** However they went: what is kept for the record is bounded. */
async function forgetOlder(tx: DatabaseTransaction, space: SpaceRow): Promise<void> {
  const { current_deployment_id, status } = space
  const forgotten = await forgetOld(tx, space.id, [current_deployment_id ?? [], status.releases].flat())
  for (const one of forgotten) await recordEvent(tx, 'deleted', toDeployment(one))
}

/** Of the newest one the space says how it went. */
async function noteLast(
  tx: DatabaseTransaction,
  space: SpaceRow,
  { id, phase }: DeploymentRow,
  now: Date,
): Promise<SpaceRow> {
  const last = space.status.lastDeployment
  if (last?.id !== id) return space
  return changeSpaceStatus(tx, space, { status: { lastDeployment: { ...last, phase } }, now })
}
