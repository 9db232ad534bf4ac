import type { ProjectSpec, ProjectSpecInput, QuotaLimits } from '@hearth/contract'
import { canonicalJson, HearthError } from '@hearth/foundation'
import { type DatabaseTransaction, isUniqueViolation } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import { recordEvent } from '../event/index.ts'
import { requireResource } from '../quota/index.ts'
import { requireCredentials } from './credentials.ts'
import { planBytes, refuseLargePlan } from './plan-size.ts'
import { dependentsOf, insertProject, readSecrets, updateProject, writeSecrets } from './queries.ts'
import { type ProjectRow, specOf, toProject } from './table.ts'

export async function createProject(
  tx: DatabaseTransaction,
  encryption: Encryption,
  created: {
    organizationId: string
    creator: string
    limits: QuotaLimits
    name: string
    labels: Record<string, string>
    spec: ProjectSpecInput
  },
): Promise<ProjectRow> {
  requireCredentials(created.spec.repositories, Object.keys(created.spec.secrets))
  const spec = storedSpec(created.spec)
  refuseLargePlan(planBytes(spec, []), 0)
  await requireResource(tx, created.organizationId, created.limits, 'projects')
  const row = await insertProject(tx, { ...created, spec }).catch((error: unknown) => {
    if (isUniqueViolation(error))
      throw new HearthError('conflict', `there is a project ${created.name} already`)
    throw error
  })
  await writeSecrets(tx, encryption, row.id, created.spec.secrets)
  await recordEvent(tx, 'created', toProject(row))
  return row
}

/** Writes what differs and has the project's pools look again; null when nothing does. */
export async function changeProject(
  tx: DatabaseTransaction,
  encryption: Encryption,
  row: ProjectRow,
  change: {
    labels?: Record<string, string> | undefined
    spec: { [Key in keyof ProjectSpecInput]?: ProjectSpecInput[Key] | undefined }
  },
): Promise<ProjectRow | null> {
  if (row.phase === 'deleting') throw new HearthError('conflict', `project ${row.name} is being deleted`)
  const stored = specOf(row)
  const secretsBefore = await readSecrets(tx, encryption, row.id)
  const wanted: ProjectSpecInput = {
    repositories: change.spec.repositories ?? row.spec.repositories,
    variables: change.spec.variables ?? row.spec.variables,
    secrets: change.spec.secrets ?? secretsBefore,
    setup: change.spec.setup ?? row.spec.setup,
    onHostLoss: change.spec.onHostLoss ?? stored.onHostLoss,
  }
  requireCredentials(wanted.repositories, Object.keys(wanted.secrets))
  const after = { labels: change.labels ?? row.labels, spec: storedSpec(wanted), secrets: wanted.secrets }
  const before = { labels: row.labels, spec: stored, secrets: secretsBefore }
  if (canonicalJson(after) === canonicalJson(before)) return null
  for (const setup of [[], ...(await poolSetups(tx, row.id))])
    refuseLargePlan(planBytes(after.spec, setup), planBytes(stored, setup))
  const changed = await updateProject(tx, row.id, {
    labels: after.labels,
    spec: after.spec,
    phase: row.phase,
  })
  await writeSecrets(tx, encryption, row.id, wanted.secrets)
  await recordEvent(tx, 'updated', toProject(changed))
  await wakeAll(tx, 'warm-pool', (await dependentsOf(tx, row.id)).warmPoolIds)
  return changed
}

async function poolSetups(tx: DatabaseTransaction, projectId: string) {
  const pools = await tx.selectFrom('warm_pools').select('spec').where('project_id', '=', projectId).execute()
  return pools.map(({ spec }) => spec.setup)
}

function storedSpec({ secrets, ...spec }: ProjectSpecInput): ProjectSpec {
  return { ...spec, secretNames: Object.keys(secrets).sort() }
}
