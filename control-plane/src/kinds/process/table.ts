import type {
  Failure,
  ProcessInput,
  ProcessPhase,
  ProcessRun,
  Service,
  ServiceDefinition,
  Task,
  TaskDefinition,
} from '@hearth/contract'
import { endOfText } from '@hearth/contract'
import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export type ProcessKind = 'task' | 'service'

/** What is to be run, of both kinds; the other kind's own is absent. */
export type StoredProcessSpec = {
  isDeclared: boolean
  keptBy?: KeptBy
  /** Files that are brought into the guest before each run; shown to nobody. */
  inputs?: readonly ProcessInput[]
} & Partial<DeclaredIn> &
  Partial<FollowedProcess> &
  (({ kind: 'task' } & TaskDefinition) | ({ kind: 'service' } & ServiceDefinition))

/** Another resource that has made one, and alone starts, ends and forgets it. */
export interface KeptBy {
  kind: 'WebApp' | 'Space' | 'Deployment' | 'Pipeline'
  id: string
  /** What it is to its keeper. */
  role: string
}

/** Of one that its keeper follows and steers while it runs. */
export interface FollowedProcess {
  /** Lines of its output that begin with this are kept for its keeper. */
  journal: string
  /** What its keeper wishes of it. */
  wish: string
}

/** Which declaration one comes from. */
export interface DeclaredIn {
  /** The repository whose file declares it; null where its project does, and absent before files could. */
  repository: string | null
  /** Repositories whose files declare the same name, and come after it. */
  passedOver: string[]
}

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredProcessStatus {
  /** The number of the newest run. */
  runs: number
  restarts: number
  run: (ProcessRun & { request: number }) | null
  waitsFor: string | null
  failure: Failure | null
  observedSpecVersion: number
  /** The prebuild in which it ran, before its environment was started from that; null for another snapshot, absent for none. */
  ranIn?: string | null
  /** Incarnation of its machine when it was last ordered; absent before that. */
  incarnation?: number
  /** Whether its schedule was due while it ran, and it runs again afterwards. */
  isQueued: boolean
}

export interface ProcessTable extends ResourceTable<StoredProcessSpec, StoredProcessStatus> {
  kind: ProcessKind
  environment_id: string
  /** The runner that was ordered to see to it; null while none is. */
  runner_id: string | null
  phase: ProcessPhase
  phase_since: ColumnType<Date, Date | undefined, Date>
  deadline: Date | null
  desired: 'run' | 'stop' | 'delete'
  request: Generated<number>
  next_run_at: Date | null
  report_epoch: Generated<number>
  report_sequence: Generated<string>
}
/** Each run of a process, as long as it is kept. */
export interface ProcessRunTable {
  process_id: string
  number: number
  run: JSONColumnType<ProcessRun>
  /** Which start it belongs to; null of runs that an earlier version recorded. */
  request: number | null
}
/** Each start of a task that was asked for, as long as it is kept. */
export interface TaskExecutionTable {
  id: string
  task_id: string
  request: number
  asked_at: ColumnType<Date, Date | undefined, Date>
}
/** A line of a process's journal, known by its place in the output of its run. */
export interface ProcessJournalTable {
  process_id: string
  run: number
  /** Of its first byte. */
  place: string
  text: string
}
export interface ProcessTables {
  process_journal: ProcessJournalTable
  processes: ProcessTable
  process_runs: ProcessRunTable
  task_executions: TaskExecutionTable
}
export type ProcessRow = Selectable<ProcessTable>

export const emptyProcessStatus: StoredProcessStatus = {
  runs: 0,
  restarts: 0,
  run: null,
  waitsFor: null,
  failure: null,
  observedSpecVersion: 0,
  isQueued: false,
}

/** Bytes of a run's output that lists and events show. */
const listedOutputBytes = 1_024

/** With the whole of what is kept of its last run's output. */
export const toProcess = (row: ProcessRow): Task | Service => toResource(row, row.status.run)

/** With the end of that output: for lists and events. */
export function toListedProcess(row: ProcessRow): Task | Service {
  const { run } = row.status
  return toResource(row, run === null ? null : { ...run, output: endOfText(run.output, listedOutputBytes) })
}

function toResource(row: ProcessRow, run: StoredProcessStatus['run']): Task | Service {
  const { runs, restarts, waitsFor, failure, observedSpecVersion } = row.status
  const common = {
    metadata: metadataOf(row),
    specVersion: row.spec_version,
    statusVersion: row.status_version,
  }
  const asked = { environmentId: row.environment_id, desired: row.desired, request: row.request }
  const status = {
    phase: row.phase,
    runs,
    restarts,
    run: run === null ? null : withoutRequest(run),
    waitsFor,
    observedSpecVersion,
    failure,
    deadline: row.phase === 'starting' ? (row.deadline?.toISOString() ?? null) : null,
  }
  if (row.spec.kind === 'service') {
    const {
      kind: _,
      passedOver: _passedOver,
      keptBy,
      inputs: _inputs,
      journal: _journal,
      wish: _wish,
      ...spec
    } = row.spec
    return { kind: 'Service', ...common, spec: { ...spec, ...asked, ...keeper(keptBy) }, status }
  }
  const {
    kind: _,
    passedOver: _passedOver,
    keptBy,
    inputs: _inputs,
    journal: _journal,
    wish: _wish,
    ...spec
  } = row.spec
  const nextRunAt = row.next_run_at?.toISOString() ?? null
  return {
    kind: 'Task',
    ...common,
    spec: { ...spec, ...asked, ...keeper(keptBy) },
    status: { ...status, nextRunAt },
  }
}

const keeper = (keptBy: KeptBy | undefined) =>
  keptBy === undefined ? {} : { keptBy: { kind: keptBy.kind, id: keptBy.id } }

function withoutRequest({ request: _, ...run }: NonNullable<StoredProcessStatus['run']>): ProcessRun {
  return run
}
