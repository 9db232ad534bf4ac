import { endOfText, pipelineProvisioningSeconds } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import type { EnvironmentRow } from '../environment/index.ts'
import { type ProcessRow, runEndInWords } from '../process/index.ts'
import { readHolders, type SnapshotRow } from '../snapshot/index.ts'
import { readCopyUnderWay, readHindrance, type VolumeRow } from '../volume/index.ts'
import type { SeenCompile } from './compile.decide.ts'
import type { SeenPipeline } from './decide.ts'
import { wishOf } from './runtime.decide.ts'
import { processOf, type Role, type Sight } from './scene.ts'
import type { SeenMachine, SeenService, SeenSnapshot, SeenTask, SeenVolume } from './seen.decide.ts'
import type { PipelineRow } from './table.ts'
import { messagesOf, unusableExitCode } from './toolchain/index.ts'

/** All that the next step of a pipeline depends on, but for its compiling. */
export async function lookAtPipeline(
  queryable: Queryable,
  row: PipelineRow,
  scene: Sight,
): Promise<SeenPipeline> {
  const { resources, desired, runtime, program, storage, deadline, status, work } = row
  const service = processOf(scene, 'run')
  return {
    ...{ resources, desired, runtime, program, storage, deadline },
    runtimeDetails: status.runtimeDetails,
    desiredRuntime: row.desired_runtime,
    provisioningSeconds: provisioningSecondsOf(row),
    since: new Date(status.since.resources),
    machine: scene.machine === null ? null : await toMachine(queryable, scene.machine),
    volume: await toVolumeSeen(queryable, scene),
    copy: await lookAtCopy(queryable, scene),
    service: toService(service),
    told: work.told,
    isWishTold: service === undefined || service.spec.wish === wishFor(row),
    waitsFor: work.waitsFor,
  }
}

export const provisioningSecondsOf = ({ spec }: Pick<PipelineRow, 'spec'>) =>
  spec.runtime.provisioningSeconds ?? pipelineProvisioningSeconds

/** What is wished of its program now; before there is a machine, what it is started as. */
export function wishFor({ desired_runtime, spec, work }: PipelineRow): string {
  return wishOf({
    desired: desired_runtime ?? spec.initial ?? 'running',
    bootstrapPolicy: spec.bootstrapPolicy,
    bootstrap: work.bootstrap,
    isApproved: work.isApproved,
  })
}

/** What the next step of its compiling depends on. */
export async function lookAtCompile(
  queryable: Queryable,
  row: PipelineRow,
  scene: Sight,
): Promise<SeenCompile> {
  const { program, deadline, work } = row
  return {
    ...{ program, deadline },
    machine: scene.machine === null ? null : await toMachine(queryable, scene.machine),
    check: toTask(row, scene, 'check'),
    build: toTask(row, scene, 'build'),
    snapshot: scene.snapshot === null ? null : toSnapshotSeen(scene.snapshot),
    waitsFor: work.waitsFor,
  }
}

async function toMachine(queryable: Queryable, row: EnvironmentRow): Promise<SeenMachine> {
  const runner = row.runner_id === null ? null : await readRunner(queryable, row.runner_id)
  return {
    name: row.name,
    phase: row.phase,
    isGoing: row.desired_phase === 'deleted',
    isSilent: row.unreachable,
    runner: runner?.name ?? null,
    failure: row.status.failure,
    placement: row.phase === 'pending' ? row.status.placement : null,
  }
}

const readRunner = (queryable: Queryable, id: string) =>
  queryable.selectFrom('runners').select(['name', 'phase']).where('id', '=', id).executeTakeFirst()

async function toVolumeSeen(queryable: Queryable, { volume, machine }: Sight): Promise<SeenVolume | null> {
  if (volume === null) return null
  const { name, phase, desired, status } = volume
  const isMine = machine !== null && volume.environment_id === machine.id
  const runner = volume.runner_id === null ? null : await readRunner(queryable, volume.runner_id)
  return {
    name,
    phase,
    isLost: runner?.phase === 'deleted',
    isGoing: desired === 'delete',
    failure: status.failure,
    isMounted: isMine ? status.isMounted && status.attachedTo === machine.id : null,
    hindrance: isMine ? null : await hindranceOf(queryable, volume, machine),
  }
}

const hindranceOf = (queryable: Queryable, volume: VolumeRow, machine: EnvironmentRow | null) =>
  machine === null ? readCopyUnderWay(queryable, volume.id) : readHindrance(queryable, volume, machine.id)

/** A volume that was never attached is made wherever the machine is. */
export async function lookAtCopy(
  queryable: Queryable,
  { volume, snapshot, machine }: Pick<Sight, 'volume' | 'snapshot' | 'machine'>,
): Promise<SeenPipeline['copy']> {
  if (machine !== null) return { state: 'present' }
  if (snapshot?.phase !== 'ready' || snapshot.desired_phase !== 'ready') return { state: 'lost' }
  if (volume?.runner_id == null) return { state: 'present' }
  const holder = (await readHolders(queryable, [snapshot.id])).find(
    ({ runner_id }) => runner_id === volume.runner_id,
  )
  if (holder === undefined) return { state: 'absent' }
  if (holder.phase === 'present') return { state: 'present' }
  if (holder.phase !== 'failed' || (holder.source.kind === 'runner' && !holder.source.isGivenUp))
    return { state: 'coming' }
  const because = holder.failure?.message ?? 'no cause was reported'
  return {
    state: 'failed',
    message: `what was compiled cannot be copied to runner ${holder.runner_name}, which has its volume: ${because}`,
  }
}

function toSnapshotSeen({ name, phase, desired_phase, status }: SnapshotRow): SeenSnapshot {
  const isMaking = phase === 'pending' || phase === 'creating'
  const state =
    desired_phase === 'deleted' ? 'lost' : isMaking ? 'making' : phase === 'ready' ? 'ready' : 'lost'
  return { name, state, failure: status.failure }
}

const working = new Set(['pending', 'starting', 'running', 'restarting', 'stopping', 'deleting'])

function toTask(row: PipelineRow, scene: Sight, role: Exclude<Role, 'run'>): SeenTask {
  if (!row.work.tasks.includes(role)) return { state: 'none' }
  const process = processOf(scene, role)
  if (process === undefined) return { state: 'absent' }
  const { run } = process.status
  const output = run?.output ?? ''
  if (process.phase === 'succeeded') return { state: 'done', output, messages: messagesOf(output) }
  if (working.has(process.phase)) return { state: 'working' }
  if (run?.cause !== 'exit' || run.exitCode === null || run.exitCode === unusableExitCode)
    return { state: 'failed', message: unableTo(role, process) }
  const messages = messagesOf(output, { hasFailed: true })
  return { state: 'faulty', exitCode: run.exitCode, output, messages }
}

/** A toolchain that cannot be used in its machine says itself what to do. */
function unableTo(role: string, { status }: ProcessRow): string {
  const { failure, run } = status
  const said = run?.exitCode === unusableExitCode ? run.output.trim().split('\n').at(-1) : undefined
  if (said !== undefined && said !== '') return endOfText(said, 1_000)
  return `the ${role} could not be carried out: ${failure?.message ?? `it ${runEndInWords(run)}`}; compile it again`
}

function toService(row: ProcessRow | undefined): SeenService {
  if (row === undefined) return { state: 'absent' }
  const { phase, status } = row
  switch (phase) {
    case 'running':
      return { state: 'running' }
    case 'pending':
    case 'starting':
    case 'restarting':
    case 'stopping':
    case 'deleting':
      return { state: 'working', waitsFor: status.waitsFor }
    case 'succeeded':
    case 'idle':
    case 'stopped':
    case 'failed': {
      const { failure, run } = status
      const message = failure?.message ?? `the service ${runEndInWords(run)}`
      const lines = failure?.lastLines ?? run?.output.trimEnd().split('\n').slice(-20) ?? []
      const lastLines = lines.map((line) => endOfText(line, 500))
      return { state: 'ended', exitCode: run?.exitCode ?? null, message, lastLines }
    }
    default:
      return assertNever(phase)
  }
}
