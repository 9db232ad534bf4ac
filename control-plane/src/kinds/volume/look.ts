import { volumeWork } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { type Candidate, diskLeft } from '../../placement/place.ts'
import { type EnvironmentRow, lockPlacement, readFleet } from '../environment/index.ts'
import type { SeenRunner, SeenVolume, Surroundings } from './decide.ts'
import type { VolumeRow } from './table.ts'

export function seen(row: VolumeRow): SeenVolume {
  const { name, phase, desired, deadline, spec, status } = row
  return {
    ...{ name, phase, desired, deadline, environmentId: row.environment_id, runnerId: row.runner_id },
    isToBeMade:
      row.environment_id !== null ||
      spec.wantedRunnerId !== null ||
      Object.keys(spec.runnerSelector).length > 0,
    waitsFor: status.waitsFor,
  }
}

export async function lookAround(
  tx: DatabaseTransaction,
  row: VolumeRow,
  machine: EnvironmentRow | undefined,
  now: Date,
): Promise<Surroundings> {
  return {
    isMachineGone: machine === undefined || machine.phase === 'deleted',
    runner: row.runner_id === null ? null : await readRunner(tx, row.runner_id),
    place: row.runner_id === null ? await findPlace(tx, row, machine, now) : { runnerId: row.runner_id },
  }
}

async function readRunner(tx: DatabaseTransaction, id: string): Promise<SeenRunner | null> {
  const runner = await tx
    .selectFrom('runners')
    .select(['id', 'name', 'phase'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (runner === undefined) return null
  const { name, phase } = runner
  return { id, name, isRemoved: phase === 'deleted', isSilent: phase === 'offline' || phase === 'created' }
}

/** The host of its machine, the one that was asked for, or of those with its labels the one with the most room. */
async function findPlace(
  tx: DatabaseTransaction,
  row: VolumeRow,
  machine: EnvironmentRow | undefined,
  now: Date,
): Promise<Surroundings['place']> {
  if (!seen(row).isToBeMade) return { waitsFor: 'its first machine' }
  const runnerId = machine?.runner_id ?? row.spec.wantedRunnerId
  await lockPlacement(tx, row.organization_id)
  const part = { runnerId, volumeOf: machine?.id ?? null }
  const fleet = await readFleet(tx, row.organization_id, now, part)
  const able = await ableRunners(tx, row.organization_id)
  const wanted = Object.entries(row.spec.runnerSelector)
  const labelled = fleet.filter(
    ({ id, labels }) => runnerId === id || wanted.every(([key, value]) => labels[key] === value),
  )
  const [first] = labelled
  if (first === undefined)
    return { waitsFor: `a runner with the labels ${wanted.map((pair) => pair.join('=')).join(', ')}` }
  const judged = labelled.map((candidate) => ({ candidate, lack: lackOf(candidate, able, row) }))
  const fitting = judged.filter(({ lack }) => lack === null)
  const best = fitting.sort((a, b) => diskLeft(b.candidate) - diskLeft(a.candidate))[0]
  if (best !== undefined) return { runnerId: best.candidate.id }
  return { waitsFor: judged[0]?.lack ?? `runner ${first.name}` }
}

async function ableRunners(tx: DatabaseTransaction, organizationId: string): Promise<Set<string>> {
  const rows = await tx
    .selectFrom('runners')
    .select(['id', 'work_kinds'])
    .where('organization_id', '=', organizationId)
    .execute()
  return new Set(rows.filter(({ work_kinds: kinds }) => kinds?.includes(volumeWork.kind)).map(({ id }) => id))
}

/** What keeps a runner from making it, as what is waited for; null for nothing. */
function lackOf(candidate: Candidate, able: ReadonlySet<string>, row: VolumeRow): string | null {
  const { id, name, phase, facts } = candidate
  if (phase !== 'active' && phase !== 'degraded' && phase !== 'draining')
    return `runner ${name}, which is ${phase}`
  if (!able.has(id)) return `runner ${name} to get an agent that has volumes: update it`
  if (facts === null) return `runner ${name} to report what it has`
  return lackOfRoom(candidate, row.size_mebibytes)
}

/** What a host lacks for so much more; null for nothing. */
export function lackOfRoom(candidate: Candidate, mebibytes: number): string | null {
  const left = diskLeft(candidate)
  if (left >= mebibytes) return null
  return `runner ${candidate.name} to have ${mebibytes} MiB of disk left: it has ${Math.max(0, left)}`
}
