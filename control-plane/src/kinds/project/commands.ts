import type {
  ProjectSpec,
  ProjectSpecInput,
  projectCreateSchema,
  projectUpdateSchema,
} from '@hearth/contract'
import { canonicalJson, HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import { refuseLongLife } from '../../api/life-cap.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wake, wakeAll } from '../../reconciling/wake.ts'
import { given, newResource } from '../../resource/change.ts'
import { recordEvent } from '../../resource/record.ts'
import type { Force, OnOne } from '../../resource/routes.ts'
import { requireResource } from '../quota/index.ts'
import { requireCredentials } from './credentials.ts'
import { planBytes, refuseLargePlan } from './plan-size.ts'
import { requireClasses, requirePrebuildNames } from './prebuilds.ts'
import { dependentsOf, projects, readSecrets, writeSecrets } from './queries.ts'
import { type ProjectRow, specOf, toProject } from './table.ts'

export const createProject: Command<z.output<typeof projectCreateSchema>, ProjectRow> = {
  async run(tx, { services, caller }, body) {
    requireCredentials(body.spec.repositories, Object.keys(body.spec.secrets))
    refuseLongLife(body.spec.life, caller.lifeCap, 'body.spec.life')
    const spec = storedSpec(body.spec)
    refuseLargePlan(planBytes(spec, []), 0)
    await requirePrebuildNames(tx, caller, spec.prebuilds, spec.secretNames)
    await requireClasses(tx, caller, spec.environmentClasses)
    await requireResource(tx, caller.organizationId, caller.limits, 'projects')
    const row = await projects.insert(tx, { ...newResource(caller, body), spec })
    await writeSecrets(tx, services.encryption, row.id, body.spec.secrets)
    await recordEvent(tx, 'created', toProject(row))
    return row
  },
}

/** Writes what differs and has the project's pools look again; `isChanged` is false when nothing does. */
export const changeProject: Command<
  OnOne<z.output<typeof projectUpdateSchema>>,
  { row: ProjectRow; isChanged: boolean }
> = {
  async run(tx, context, { reference, body }) {
    const { encryption } = context.services
    const row = await projects.lockForChange(tx, context, reference)
    if (row.phase === 'deleting') throw new HearthError('conflict', `project ${row.name} is being deleted`)
    if (row.kept_for !== null)
      throw new HearthError(
        'conflict',
        `project ${row.name} is kept by Hearth for the machines of ${row.kept_for}: make a project of your own`,
      )
    const stored = specOf(row)
    refuseLongLife(body.spec?.life, context.caller.lifeCap, 'body.spec.life')
    const secretsBefore = await readSecrets(tx, encryption, row.id)
    const wanted = { ...stored, secrets: secretsBefore, ...given(body.spec) }
    requireCredentials(wanted.repositories, Object.keys(wanted.secrets))
    const after = { labels: body.labels ?? row.labels, spec: storedSpec(wanted), secrets: wanted.secrets }
    const before = { labels: row.labels, spec: stored, secrets: secretsBefore }
    if (canonicalJson(after) === canonicalJson(before)) return { row, isChanged: false }
    if (
      canonicalJson(after.spec.prebuilds) !== canonicalJson(stored.prebuilds) ||
      body.spec?.secrets !== undefined
    )
      await requirePrebuildNames(tx, context.caller, after.spec.prebuilds, after.spec.secretNames)
    if (body.spec?.environmentClasses !== undefined)
      await requireClasses(tx, context.caller, after.spec.environmentClasses)
    for (const setup of [[], ...(await poolSetups(tx, row.id))])
      refuseLargePlan(planBytes(after.spec, setup), planBytes(stored, setup))
    const changed = await projects.changeSpec(tx, row.id, { labels: after.labels, spec: after.spec })
    await writeSecrets(tx, encryption, row.id, wanted.secrets)
    await recordEvent(tx, 'updated', toProject(changed))
    await wakeAll(tx, 'warm-pool', (await dependentsOf(tx, row.id)).warmPoolIds)
    return { row: changed, isChanged: true }
  },
}

/** Deletes a project with its pools and environments; claimed environments only with `force`. */
export const deleteProject: Command<OnOne<Force>, ProjectRow> = {
  async run(tx, context, { reference, body: { force } }) {
    const row = await projects.lockForChange(tx, context, reference)
    const dependents = await dependentsOf(tx, row.id)
    if (dependents.claimed > 0 && !force) {
      throw new HearthError(
        'conflict',
        `${dependents.claimed} environments of ${row.name} are claimed: release them, or use force=true`,
      )
    }
    if (row.kept_for !== null && dependents.environmentIds.length > 0)
      throw new HearthError(
        'conflict',
        `project ${row.name} has ${dependents.environmentIds.length} machines of ${row.kept_for}: it can be deleted when those are stopped`,
      )
    const isGoing = row.phase === 'deleting'
    const going = isGoing ? row : await projects.changeSpec(tx, row.id, { phase: 'deleting' })
    if (!isGoing) await recordEvent(tx, 'updated', toProject(going))
    await wakeAll(tx, 'warm-pool', dependents.warmPoolIds)
    await wakeAll(tx, 'environment', dependents.environmentIds)
    await wakeAll(tx, 'snapshot', dependents.snapshotIds)
    await wake(tx, 'project', row.id)
    return going
  },
}

async function poolSetups(tx: DatabaseTransaction, projectId: string) {
  const pools = await tx.selectFrom('warm_pools').select('spec').where('project_id', '=', projectId).execute()
  return pools.map(({ spec }) => spec.setup)
}

export function storedSpec({ secrets, ...spec }: ProjectSpecInput): ProjectSpec {
  const { repositories, variables, setup, onHostLoss, onCrash, prebuilds, snapshots, life } = spec
  const { environmentClasses, tasks, services } = spec
  const secretNames = Object.keys(secrets).sort()
  const ends = { onHostLoss, onCrash, prebuilds, snapshots, life }
  return { repositories, variables, setup, ...ends, environmentClasses, tasks, services, secretNames }
}
