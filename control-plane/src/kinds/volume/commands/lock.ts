import { HearthError } from '@hearth/foundation'
import type { CommandContext } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { type EnvironmentRow, environments, requireEntry } from '../../environment/index.ts'
import { copyUnderWay, volumes } from '../queries.ts'
import type { VolumeRow } from '../table.ts'

type Context = Pick<CommandContext, 'caller' | 'expectedVersion'>

/** A volume under lock with its machine, which the caller may enter; the environment is locked first, as everywhere. */
export async function lockWithMachine(
  tx: DatabaseTransaction,
  context: Context,
  reference: string,
): Promise<{ row: VolumeRow; machine: EnvironmentRow | undefined }> {
  const before = found(await volumes.find(tx, context.caller, reference), 'volume', reference)
  const machine =
    before.environment_id === null ? undefined : await environments.lockById(tx, before.environment_id)
  if (machine !== undefined) await requireEntry(tx, context.caller, machine)
  const row = await volumes.lockForChange(tx, context, before.id)
  requireUnkept(row)
  if (row.environment_id !== before.environment_id)
    throw new HearthError(
      'conflict',
      `volume ${row.name} was attached or detached just now: look at it again`,
    )
  return { row, machine }
}

export function requirePresent({ name, desired }: VolumeRow): void {
  if (desired === 'delete') throw new HearthError('conflict', `volume ${name} is being deleted`)
}

/** Throws a conflict for a volume that another resource keeps. */
export function requireUnkept({ name, spec: { keptBy } }: VolumeRow): void {
  if (keptBy === undefined) return
  throw new HearthError(
    'conflict',
    `volume ${name} is kept by pipeline ${keptBy.id}, which alone changes it: stop and clear that instead`,
  )
}

export function requireNoSnapshot({ name, is_snapshot: isSnapshot }: VolumeRow, what: string): void {
  if (!isSnapshot) return
  throw new HearthError(
    'conflict',
    `volume ${name} is a snapshot, and is never ${what}: make a volume of it with \`hearth volume create NAME --from ${name}\``,
  )
}

/** Throws a conflict while a volume is being made from this one. */
export async function requireNoCopyUnderWay(tx: DatabaseTransaction, row: VolumeRow): Promise<void> {
  const copy = await copyUnderWay(tx, row.id)
  if (copy === undefined) return
  throw new HearthError(
    'conflict',
    `volume ${copy.name} is being made from volume ${row.name}: wait until it is available`,
  )
}

/** Throws a conflict where the memory of a suspended machine knows the volume. */
export function requireAwake(row: VolumeRow, machine: EnvironmentRow | undefined): void {
  if (machine === undefined || !['suspending', 'suspended', 'resuming'].includes(machine.phase)) return
  throw new HearthError(
    'conflict',
    `environment ${machine.name} is ${machine.phase}, and its memory knows volume ${row.name}: start it or stop it first`,
  )
}
