import type { forkCreateSchema } from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { type ClaimRow, claims, toClaim } from '../../claim/index.ts'
import {
  createEnvironment,
  type EnvironmentRow,
  heldDeclared,
  heldSteps,
  lifeShown,
  newLife,
  withPlan,
} from '../../environment/index.ts'
import { environmentClasses } from '../../environment-class/index.ts'
import { projects } from '../../project/index.ts'
import type { SnapshotRow } from '../table.ts'
import { freeze, lockClaimed } from './create.ts'

type ForkBody = z.output<typeof forkCreateSchema>
export interface Forked {
  snapshot: SnapshotRow
  forks: { claim: ClaimRow; environment: EnvironmentRow }[]
}

/**
 * Makes machines of the running one of a claim: one snapshot, and from it as many environments, each with a claim of its
 * own for the caller. They wait for the snapshot; the origin runs on.
 */
export const forkClaim: Command<OnOne<ForkBody>, Forked> = {
  async run(tx, context, { reference, body }) {
    const { caller } = context
    const claim = await claims.get(tx, caller, reference)
    const origin = await lockClaimed(tx, caller, claim.id)
    if (origin.phase !== 'running' && !body.cold)
      throw new HearthError(
        'conflict',
        `environment ${origin.name} is ${origin.phase}: start it, or fork its disk alone (cold)`,
      )
    const { count, cold, labels } = body
    const snapshot = await freeze(tx, context, origin, { labels, memory: !cold, purpose: 'fork' })
    const make = await forkMaker(tx, context, { claim, origin, snapshot }, body)
    const forks: Forked['forks'] = []
    for (let made = 0; made < count; made += 1) forks.push(await make())
    return { snapshot, forks }
  },
}

async function forkMaker(
  tx: DatabaseTransaction,
  { services, caller }: CommandContext,
  { claim, origin, snapshot }: { claim: ClaimRow; origin: EnvironmentRow; snapshot: SnapshotRow },
  { cold, labels, publicKey }: ForkBody,
): Promise<() => Promise<Forked['forks'][number]>> {
  const project = await projects.readById(tx, origin.project_id)
  if (project?.phase !== 'active')
    throw new HearthError('conflict', `the project of ${origin.name} is being deleted`)
  const environmentClass = await environmentClasses.readById(tx, origin.environment_class_id)
  if (environmentClass === undefined)
    throw new HearthError('conflict', `the class that ${origin.name} was made of is gone`)
  const { plan } = (await withPlan(tx, origin)).spec
  const held = heldSteps(plan, snapshot.status.held)
  const source = {
    snapshotId: snapshot.id,
    memory: !cold,
    incarnation: 1,
    heldSteps: held,
    ...heldDeclared(snapshot.status, held),
    onlyFromSnapshot: true,
    memoryWithheld: null,
  }
  const owner = {
    kind: 'warm-pool',
    id: claim.warm_pool_id,
    setup: plan.warmPoolSetup,
    branch: null,
  } as const
  const now = services.clock.now()
  return async () => {
    const claimId = newId()
    const environment = await createEnvironment(tx, {
      project,
      environmentClass,
      owner,
      claimId,
      creator: caller.principalId,
      limits: caller.limits,
      labels,
      plan,
      source,
      life: newLife([origin.life], caller.lifeCap, now),
      now,
    })
    const base = {
      id: claimId,
      organizationId: caller.organizationId,
      name: `claim-${claimId.slice(-6)}`,
      creator: caller.principalId,
      labels,
      spec: { fallback: claim.spec.fallback, publicKey: publicKey ?? claim.spec.publicKey },
    }
    const forkOf = { claimId: claim.id, snapshotId: snapshot.id }
    const made = await claims.insert(tx, base, {
      warm_pool_id: claim.warm_pool_id,
      environment_id: environment.id,
      phase: 'pending',
      status: { source: 'cold', boundAt: null, failure: null, forkOf },
    })
    await recordEvent(tx, 'created', toClaim(made, null, lifeShown(environment)))
    return { claim: made, environment }
  }
}
