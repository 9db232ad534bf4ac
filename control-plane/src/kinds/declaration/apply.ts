import type { ApplyResult, ProjectDeclaration } from '@hearth/contract'
import type { Caller } from '../../api/caller.ts'
import { found, requireVersion } from '../../api/lookup.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { findEnvironmentClass } from '../environment-class/index.ts'
import { changeProject, createProject, lockProject, type ProjectRow } from '../project/index.ts'
import {
  changeWarmPool,
  createWarmPool,
  listWarmPools,
  lockWarmPool,
  type PoolSpec,
  removeWarmPool,
  type WarmPoolRow,
} from '../warm-pool/index.ts'

/**
 * Makes a project and its pools what the declaration says, whole or not at all; applying it again changes nothing. A
 * project that is not there yet has the version 0.
 */
export async function applyDeclaration(
  tx: DatabaseTransaction,
  encryption: Encryption,
  caller: Caller,
  declaration: ProjectDeclaration,
  expectedVersion: number | null,
): Promise<ApplyResult> {
  const { warmPools, apiVersion: _, name, labels, ...spec } = declaration
  const { organizationId, principalId: creator, limits } = caller
  const before = await lockProject(tx, organizationId, name)
  requireVersion(expectedVersion, before?.spec_version ?? 0)
  const project =
    before ?? (await createProject(tx, encryption, { organizationId, creator, limits, name, labels, spec }))
  const changed = before === undefined ? null : await changeProject(tx, encryption, before, { labels, spec })
  return {
    projectId: project.id,
    project: before === undefined ? 'created' : changed === null ? 'unchanged' : 'updated',
    warmPools: await applyPools(tx, caller, changed ?? project, warmPools),
  }
}

async function applyPools(
  tx: DatabaseTransaction,
  caller: Caller,
  project: ProjectRow,
  declared: ProjectDeclaration['warmPools'],
): Promise<ApplyResult['warmPools']> {
  const existing = await listWarmPools(tx, {
    organizationId: caller.organizationId,
    projectId: project.id,
    limit: 1_000,
  })
  const results: ApplyResult['warmPools'] = []
  const kept = new Set<string>()
  for (const { environmentClass: className, ...spec } of declared) {
    const environmentClass = found(
      await findEnvironmentClass(tx, caller.organizationId, className),
      'environment class',
      className,
    )
    const pool = existing.find((one) => one.environment_class_id === environmentClass.id)
    const result = await applyPool(tx, caller, project, environmentClass, pool, spec)
    kept.add(result.id)
    results.push({ ...result, environmentClass: environmentClass.name })
  }
  for (const pool of existing.filter(({ id }) => !kept.has(id))) {
    await removeWarmPool(tx, pool)
    results.push({ id: pool.id, environmentClass: pool.environment_class_id, change: 'deleted' })
  }
  return results
}

async function applyPool(
  tx: DatabaseTransaction,
  caller: Caller,
  project: ProjectRow,
  environmentClass: { id: string; name: string },
  pool: WarmPoolRow | undefined,
  spec: PoolSpec,
): Promise<{ id: string; change: 'created' | 'updated' | 'unchanged' }> {
  const locked = pool === undefined ? undefined : await lockWarmPool(tx, pool.id)
  if (locked === undefined) {
    const created = {
      project,
      environmentClass,
      creator: caller.principalId,
      limits: caller.limits,
      labels: {},
      spec,
    }
    return { id: (await createWarmPool(tx, created)).id, change: 'created' }
  }
  const changed = await changeWarmPool(tx, locked, { spec })
  return { id: locked.id, change: changed === null ? 'unchanged' : 'updated' }
}
