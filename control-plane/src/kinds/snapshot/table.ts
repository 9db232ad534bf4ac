import {
  type Failure,
  type LayerSource,
  type RepositoryProcesses,
  type RunnerPhase,
  type Snapshot,
  type SnapshotDeletion,
  type SnapshotHolder,
  type SnapshotMachine,
  type SnapshotPhase,
  type SnapshotPurpose,
  type SnapshotSpec,
  type SnapshotStatus,
  snapshotWork,
} from '@hearth/contract'
import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredSnapshotStatus {
  machine: SnapshotMachine
  /** The steps that were done, by key, with the digest of what each did. */
  held: Record<string, string>
  /** What the files of the machine's repositories declare; absent where they declare nothing. */
  declared?: RepositoryProcesses | undefined
  /** The tasks that prebuilds run and that have run in it, with the digest of what each did; absent where there are none. */
  ranTasks?: Readonly<Record<string, string>> | undefined
  planDigest: string
  /** Absent where the machine had none. */
  volumesLeftOut?: SnapshotStatus['volumesLeftOut']
  bytes: SnapshotStatus['bytes']
  memory: SnapshotStatus['memory']
  pausedMilliseconds: number | null
  readyAt: string | null
  failure: Failure | null
  observedSpecVersion: number
}

export interface SnapshotTable extends ResourceTable<Pick<SnapshotSpec, 'memory'>, StoredSnapshotStatus> {
  project_id: string
  environment_id: string | null
  claim_id: string | null
  parent_id: string | null
  /** The principal who may start from it, beside administrators; null for everybody who may start machines. */
  holder_id: string | null
  purpose: SnapshotPurpose
  phase: SnapshotPhase
  desired_phase: SnapshotSpec['desiredPhase']
  phase_since: ColumnType<Date, Date | undefined, Date>
  deadline: Date | null
  deletion: JSONColumnType<SnapshotDeletion> | null
}
/** The copy of a layer from another runner, without the key that lets it in there, which every order has anew. */
export interface CopySource {
  kind: 'runner'
  /** The runner that it is copied from; null while none is chosen. Without a grant, it flattens its layer first. */
  runnerId: string | null
  address: { host: string; port: number } | null
  /** Another one for each attempt; null before the first. */
  grantId: string | null
  /** When the attempt ends unless bytes come in; of one that is given up, when that is forgotten. */
  endsAt: string | null
  /** The runners from which it could not be copied. */
  triedRunnerIds: string[]
  isGivenUp: boolean
}

/** That a holder was asked to make its layer stand on the image alone. */
export interface Flattening {
  /** Another one each time that it is asked. */
  id: string
  /** When it is waited for no longer unless it goes on. */
  endsAt: string
  failure: Failure | null
}

/** Where a runner gets a layer from. */
export type HolderSource = Extract<LayerSource, { kind: 'environment' }> | CopySource

/** A runner that has the layer of a snapshot, or is to have it. */
export interface SnapshotHolderTable {
  snapshot_id: string
  runner_id: string
  organization_id: string
  phase: SnapshotHolder['phase']
  source: JSONColumnType<HolderSource>
  progress: JSONColumnType<NonNullable<SnapshotHolder['progress']>> | null
  kept_by: ColumnType<string[], string | undefined, string>
  failure: JSONColumnType<Failure> | null
  /** Whether its layer is known to stand on the image alone. */
  is_flat: Generated<boolean>
  flattening: JSONColumnType<Flattening> | null
  report_epoch: Generated<number>
  report_sequence: Generated<string>
}
export interface SnapshotTables {
  snapshots: SnapshotTable
  snapshot_holders: SnapshotHolderTable
}
export type SnapshotRow = Selectable<SnapshotTable>
/** A holder with what is known of its runner. */
export type HolderRow = Selectable<SnapshotHolderTable> & {
  runner_name: string
  runner_phase: RunnerPhase
  runner_epoch: number
  /** Its agent said that it stops, and may be back before its lease is over. */
  runner_left: boolean
  agent_version: string | null
  /** Where other runners read its layers; null where they cannot. */
  layer_address: { host: string; port: number } | null
  /** The name of the runner that its layer is copied from. */
  copied_from: string | null
  work_kinds: string[] | null
}

/** Whether nobody hears of the runner. */
export const isSilent = ({ runner_phase, runner_left }: HolderRow): boolean =>
  runner_phase === 'deleted' || (runner_phase === 'offline' && !runner_left)

/** Whether its agent is too old: it would leave the order lying. */
export const isUnable = ({ work_kinds: kinds }: HolderRow): boolean =>
  kinds !== null && !kinds.includes(snapshotWork.kind)

export function toSnapshot(row: SnapshotRow, holders: readonly HolderRow[]): Snapshot {
  const { status } = row
  return {
    kind: 'Snapshot',
    metadata: metadataOf(row),
    spec: {
      desiredPhase: row.desired_phase,
      projectId: row.project_id,
      environmentId: row.environment_id,
      claimId: row.claim_id,
      memory: row.spec.memory,
      purpose: row.purpose,
    },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      parentId: row.parent_id,
      bytes: status.bytes,
      memory: status.memory,
      pausedMilliseconds: status.pausedMilliseconds,
      machine: status.machine,
      heldSteps: Object.keys(status.held),
      planDigest: status.planDigest,
      volumesLeftOut: status.volumesLeftOut ?? [],
      holders: holders.map(toHolder),
      readyAt: status.readyAt,
      deletion: row.deletion,
      observedSpecVersion: status.observedSpecVersion,
      failure: status.failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}

function toHolder(row: HolderRow): SnapshotHolder {
  const { source } = row
  // It has failed when it was tried from every other holder.
  const isTriedAgain = row.phase === 'failed' && source.kind === 'runner' && !source.isGivenUp
  return {
    runnerId: row.runner_id,
    runner: row.runner_name,
    phase: isTriedAgain ? 'pending' : row.phase,
    unreachable: isSilent(row),
    progress: row.progress,
    keptBy: row.kept_by,
    failure: row.failure,
    copiedFrom: row.copied_from,
  }
}
