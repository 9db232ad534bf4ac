import { claimCreateSchema, type LifeSpec } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { createEnvironmentAlone, type EnvironmentRow, environments } from '../../environment/index.ts'
import { projects, specOf } from '../../project/index.ts'
import { warmPools } from '../../warm-pool/index.ts'
import { createClaim } from './create.ts'

export interface WantedMachine {
  projectId: string
  /** By default that of the project's first pool, else the first that it offers or makes prebuilds of. */
  environmentClassId: string | null
  name?: string
  labels: Record<string, string>
  publicKey: string | null
  life?: LifeSpec
}

interface Taken {
  row: EnvironmentRow
  claim: Parameters<NonNullable<typeof createClaim.afterCommit>>[1] | null
}

/**
 * A machine of a project and class for the caller, whether it has a pool or not: claimed from the pool, where it is made
 * when none waits, or made for the caller alone.
 */
export const takeMachine: Command<WantedMachine, Taken> = {
  async run(tx, context, wanted) {
    const { pool, environmentClassId } = await placeOf(tx, context, wanted)
    const { publicKey, life, labels, name } = wanted
    const lived = life === undefined ? {} : { life }
    if (pool === undefined) {
      const { projectId } = wanted
      const named = name === undefined ? {} : { name }
      const input = { ...named, labels, spec: { projectId, environmentClassId, ...lived } }
      return { row: await createEnvironmentAlone.run(tx, context, input, undefined), claim: null }
    }
    const body = claimCreateSchema.parse({ labels, spec: { warmPoolId: pool, publicKey, ...lived } })
    const claim = await createClaim.run(tx, context, body, undefined)
    const row = await environments.readById(tx, claim.row.environment_id ?? '')
    if (row === undefined) throw new Error(`claim ${claim.row.id} has no environment`)
    return { row, claim }
  },
  async afterCommit(context, { claim }) {
    if (claim !== null) await createClaim.afterCommit?.(context, claim)
  },
  afterFailure: (context, error) => createClaim.afterFailure?.(context, error),
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
