import type { AppConfiguration, ProcessPhase } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { EnvironmentRow } from '../environment/index.ts'
import { type KeptProcesses, type ProcessRow, runEndInWords } from '../process/index.ts'
import { type AppFacts, isTidying, type SpaceRow } from '../space/index.ts'
import type { SeenDeployment, SeenMachine, SeenStep } from './decide.ts'
import { type PlannedService, servicesOf, taskNames } from './plan.ts'
import type { DeploymentRow } from './table.ts'

export interface Surroundings {
  environment: EnvironmentRow
  app: AppFacts
  space: SpaceRow
  kept: KeptProcesses
  /** Those of the space that are on their way, the oldest first. */
  underway: readonly DeploymentRow[]
  /** That of the deployment. */
  configuration: AppConfiguration
  /** The one whose release gets the requests of the space. */
  current: { row: DeploymentRow; configuration: AppConfiguration } | null
  now: Date
}

export function lookAt(row: DeploymentRow, around: Surroundings): SeenDeployment {
  const { app, space, kept, underway, configuration, current } = around
  const own = kept.of(row.id)
  const find = (name: string) => own.find((process) => process.name === name)
  const first = underway[0]
  const before =
    first !== undefined && first.id !== row.id
      ? `deployment ${first.name} to end`
      : isTidying(kept, space.id)
        ? 'what is left of older releases to be removed'
        : null
  return {
    name: row.name,
    phase: row.phase,
    isCancelled: row.spec.desired === 'cancel',
    deadline: row.deadline,
    waitsFor: row.status.waitsFor,
    failure: row.status.failure,
    app: { name: app.name, phase: app.phase, failure: app.failure },
    before,
    isSuperseded: underway.some(({ id }) => id > row.id),
    needsPreparing: !isPrepared(row, around),
    // What they change is there for all releases: going back to one does not do it again.
    commands: row.spec.origin === 'rollback' ? 0 : configuration.releaseCommands.length,
    released: row.status.released,
    task: stepOf(...taskOf(row, space, find)),
    singletons: singletonsOf(row, around).map(({ name, phase }) => ({ name, isOver: isAtRest.has(phase) })),
    hasEnded: row.status.endedRoles !== null,
    services: plannedOf(row, around).map(({ name }) => stepOf(name, find(name))),
    mustLeadBack: row.status.isSwitching && current !== null,
  }
}

export const plannedOf = (row: DeploymentRow, { space, configuration }: Surroundings): PlannedService[] =>
  servicesOf({ deploymentId: row.id, type: space.type, configuration })

/** Put back to a checkpoint, a machine may lack what was prepared in it since. */
export const incarnationOf = ({ source }: Pick<EnvironmentRow, 'source'>): number => source?.incarnation ?? 1

function isPrepared(row: DeploymentRow, { space, environment }: Surroundings): boolean {
  const { releases, incarnation } = space.status
  return releases.includes(row.release_id) && incarnation === incarnationOf(environment)
}

/** The task of its phase by name, and as it is. */
function taskOf(
  row: DeploymentRow,
  { type }: SpaceRow,
  find: (name: string) => ProcessRow | undefined,
): [string, ProcessRow | undefined] {
  const names = { deploymentId: row.id, type }
  const named = (name: string): [string, ProcessRow | undefined] => [name, find(name)]
  switch (row.phase) {
    case 'releasing':
      return named(taskNames.release(names, row.status.released))
    case 'switching':
      return named(taskNames.switch(names))
    case 'reverting':
      return named(taskNames.leadBack(names))
    case 'pending':
    case 'preparing':
    case 'starting':
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return named(taskNames.prepare(names))
    default:
      return assertNever(row.phase)
  }
}

/** Services of the present release of which there may be none beside those of the new one, of either's wish. */
export function singletonsOf(row: DeploymentRow, around: Surroundings): ProcessRow[] {
  const { current, kept, space } = around
  if (current === null) return []
  const before = servicesOf({
    deploymentId: current.row.id,
    type: space.type,
    configuration: current.configuration,
  })
  const single = new Set(
    [...before, ...plannedOf(row, around)].flatMap((one) => (one.isSingleton ? one.role : [])),
  )
  return kept
    .of(current.row.id)
    .filter(({ kind, spec }) => kind === 'service' && single.has(spec.keptBy?.role ?? ''))
}

const isAtRest: ReadonlySet<ProcessPhase> = new Set(['idle', 'stopped', 'succeeded', 'failed'])

/** Whether its readiness says when it is ready, so that it need not be watched for a while. */
const tellsItself = ({ spec }: ProcessRow) => spec.kind === 'service' && spec.readiness !== null

/** A service that has to be begun again before it was ready has failed. */
function stepOf(name: string, row: ProcessRow | undefined): SeenStep {
  if (row === undefined) return { name, state: 'absent', since: null }
  const failed = (): SeenStep => ({ name, state: 'failed', failure: failureOf(row) })
  const { phase, phase_since: since } = row
  if (row.desired === 'delete') return { name, state: 'going', since }
  switch (phase) {
    case 'succeeded':
      return row.kind === 'task' ? { name, state: 'done', since } : failed()
    case 'running':
      if (row.kind === 'task') return { name, state: 'working', since }
      return { name, state: 'done', since: tellsItself(row) ? null : since }
    case 'idle':
    case 'stopped':
    case 'failed':
    case 'restarting':
      return failed()
    case 'pending':
    case 'starting':
    case 'stopping':
    case 'deleting':
      return { name, state: 'working', since }
    default:
      return assertNever(phase)
  }
}

function failureOf({ kind, name, status }: ProcessRow) {
  const { failure, run } = status
  const lines = run === null || run.output.trim() === '' ? [] : run.output.trimEnd().split('\n').slice(-20)
  const lastLines = failure?.lastLines ?? (lines.length === 0 ? undefined : lines)
  const cause = failure?.message ?? `the ${kind} ${runEndInWords(run)}`
  return {
    code: failure?.code ?? ('command_failed' as const),
    message: `${kind} ${name}: ${cause}`,
    ...(lastLines === undefined ? {} : { lastLines }),
  }
}

export const toMachine = ({ name, phase, desired_phase, unreachable }: EnvironmentRow): SeenMachine => ({
  name,
  phase,
  desiredPhase: desired_phase,
  unreachable,
})
