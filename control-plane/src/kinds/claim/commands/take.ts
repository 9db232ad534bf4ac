import { claimCreateSchema, type LifeSpec } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import {
  addLabels,
  createEnvironmentAlone,
  findEnvironment,
  type PlannedEnvironmentRow,
} from '../../environment/index.ts'
import { projects, specOf } from '../../project/index.ts'
import { warmPools } from '../../warm-pool/index.ts'
import { createClaim, NoOnePool } from './create.ts'

export interface WantedMachine {
  projectId: string
  /** By default that of the project's first pool, else the first that it offers or makes prebuilds of. */
  environmentClassId: string | null
  name?: string
  /** Of its claim, and of the machine itself. */
  labels: Record<string, string>
  publicKey: string | null
  life?: LifeSpec
}

export interface Taken {
  row: PlannedEnvironmentRow
  claim: Parameters<NonNullable<typeof createClaim.afterCommit>>[1] | null
}

/**
 * A machine of a project and class for the caller, whether it has a pool or not: claimed from the pool, where it is made
 * when none waits, or made for the caller alone.
 */
export const takeMachine: Command<WantedMachine, Taken> = {
  async run(tx, context, wanted) {
    const { projectId: project, environmentClassId: environmentClass } = wanted
    const named = environmentClass === null ? { project } : { project, environmentClass }
    try {
      return await claim(tx, context, wanted, named)
    } catch (thrown) {
      if (!(thrown instanceof NoOnePool)) throw thrown
    }
    const place = await placeOf(tx, context, wanted)
    if (place.pool !== undefined) return claim(tx, context, wanted, { warmPoolId: place.pool })
    const { labels, name, life } = wanted
    const spec = {
      projectId: project,
      environmentClassId: place.environmentClassId,
      ...(life === undefined ? {} : { life }),
    }
    const input = { ...(name === undefined ? {} : { name }), labels, spec }
    const { id } = await createEnvironmentAlone.run(tx, context, input, undefined)
    return { row: await read(tx, context, id), claim: null }
  },
  async afterCommit(context, { claim }) {
    if (claim !== null) await createClaim.afterCommit?.(context, claim)
  },
  afterFailure: (context, error) => createClaim.afterFailure?.(context, error),
}

async function claim(
  tx: DatabaseTransaction,
  context: CommandContext,
  { labels, publicKey, life }: WantedMachine,
  pool: { warmPoolId: string } | { project: string; environmentClass?: string },
): Promise<Taken> {
  const spec = { ...pool, publicKey, ...(life === undefined ? {} : { life }) }
  const made = await createClaim.run(tx, context, claimCreateSchema.parse({ labels, spec }), undefined)
  const row = await read(tx, context, made.row.environment_id ?? '')
  const { labels: shown, spec_version, updated_at } = await addLabels(tx, row, labels)
  return { row: { ...row, labels: shown, spec_version, updated_at }, claim: made }
}

async function read(
  tx: DatabaseTransaction,
  { caller }: Pick<CommandContext, 'caller'>,
  id: string,
): Promise<PlannedEnvironmentRow> {
  const row = await findEnvironment(tx, caller, id)
  if (row === undefined) throw new Error(`environment ${id} is not there`)
  return row
}

async function placeOf(
  tx: DatabaseTransaction,
  { caller }: Pick<CommandContext, 'caller'>,
  { projectId, environmentClassId }: WantedMachine,
): Promise<{ pool: string | undefined; environmentClassId: string }> {
  const project = await projects.get(tx, caller, projectId)
  const { organizationId } = caller
  const pools = await warmPools.list(
    tx,
    { organizationId, limit: 1 },
    { project_id: project.id, environment_class_id: environmentClassId ?? undefined },
  )
  const pool = pools.find(({ phase }) => phase !== 'deleting')
  const { environmentClasses: offered, prebuilds } = specOf(project)
  const chosen = environmentClassId ?? pool?.environment_class_id ?? offered[0] ?? prebuilds?.classes[0]
  if (chosen === undefined)
    throw new HearthError(
      'unprocessable',
      `project ${project.name} has no pool, offers no class and makes no prebuilds: name an environment class`,
    )
  return { pool: pool?.id, environmentClassId: chosen }
}
