import type { ApplyResult, ProjectDeclaration } from '@hearth/contract'
import type { Command, CommandContext } from '../../api/command.ts'
import { refuseLongLife } from '../../api/life-cap.ts'
import { requireVersion } from '../../api/lookup.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { environmentClasses } from '../environment-class/index.ts'
import { changeProject, createProject, type ProjectRow, projects } from '../project/index.ts'
import {
  changeWarmPool,
  createWarmPool,
  deleteWarmPool,
  type WarmPoolRow,
  warmPools,
} from '../warm-pool/index.ts'
import { askForBranches, mostPools, type UncheckedBranches } from './branches.ts'
import { applyVolumes } from './volumes.ts'

type DeclaredPool = ProjectDeclaration['warmPools'][number]

/**
 * Creates or changes a project and its pools to match the declaration, in one transaction; applying it again changes
 * nothing. A project that does not exist yet has version 0.
 */
export const applyDeclaration: Command<ProjectDeclaration, ApplyResult, UncheckedBranches> = {
  prepare: askForBranches,
  async run(tx, context, declaration, unchecked) {
    const { lifeCap } = context.caller
    refuseLongLife(declaration.life, lifeCap, 'body.life')
    for (const [index, { life }] of declaration.warmPools.entries())
      refuseLongLife(life, lifeCap, `body.warmPools.${index}.life`)
    const before = await projects.lock(tx, context.caller, declaration.name)
    requireVersion(context.expectedVersion, before?.spec_version ?? 0)
    // The given version is the project's and has been checked.
    const inside = { ...context, expectedVersion: null }
    const { row, change } = await applyProject(tx, inside, before, declaration)
    const pools = await applyPools(tx, inside, row, declaration.warmPools, unchecked)
    const volumes = await applyVolumes(tx, inside, declaration)
    return { projectId: row.id, project: change, volumes, warmPools: pools }
  },
}

async function applyProject(
  tx: DatabaseTransaction,
  context: CommandContext,
  before: ProjectRow | undefined,
  { warmPools: _, volumes: __, apiVersion: ___, name, labels, ...spec }: ProjectDeclaration,
): Promise<{ row: ProjectRow; change: ApplyResult['project'] }> {
  if (before === undefined) {
    const row = await createProject.run(tx, context, { name, labels, spec }, undefined)
    return { row, change: 'created' }
  }
  const wanted = { reference: before.id, body: { labels, spec } }
  const { row, isChanged } = await changeProject.run(tx, context, wanted, undefined)
  return { row, change: isChanged ? 'updated' : 'unchanged' }
}

async function applyPools(
  tx: DatabaseTransaction,
  context: CommandContext,
  project: ProjectRow,
  declared: readonly DeclaredPool[],
  unchecked: UncheckedBranches,
): Promise<ApplyResult['warmPools']> {
  const page = { organizationId: context.caller.organizationId, limit: mostPools }
  const existing = await warmPools.list(tx, page, { project_id: project.id })
  const results: ApplyResult['warmPools'] = []
  for (const { environmentClass: className, ...spec } of declared) {
    const { id: classId, name } = await environmentClasses.get(tx, context.caller, className)
    const pool = existing.find((one) => one.environment_class_id === classId)
    const uncheckedBranch = unchecked.get(className)
    const result = await applyPool(tx, context, { project, classId, pool, spec, uncheckedBranch })
    results.push({ ...result, environmentClass: name })
  }
  for (const pool of existing.filter(({ id }) => !results.some((kept) => kept.id === id))) {
    await deleteWarmPool.run(tx, context, { reference: pool.id, body: undefined }, undefined)
    results.push({ id: pool.id, environmentClass: pool.environment_class_id, change: 'deleted' })
  }
  return results
}

async function applyPool(
  tx: DatabaseTransaction,
  context: CommandContext,
  wanted: {
    project: ProjectRow
    classId: string
    pool: WarmPoolRow | undefined
    spec: Omit<DeclaredPool, 'environmentClass'>
    uncheckedBranch: string | null | undefined
  },
): Promise<{ id: string; change: 'created' | 'updated' | 'unchanged' }> {
  const { project, classId: environmentClassId, spec, uncheckedBranch } = wanted
  const pool = wanted.pool === undefined ? undefined : await warmPools.lockById(tx, wanted.pool.id)
  if (pool === undefined) {
    const body = { labels: {}, spec: { ...spec, projectId: project.id, environmentClassId } }
    return { id: (await createWarmPool.run(tx, context, body, uncheckedBranch)).id, change: 'created' }
  }
  const changed = await changeWarmPool.run(
    tx,
    context,
    { reference: pool.id, body: { spec } },
    uncheckedBranch,
  )
  return { id: pool.id, change: changed.spec_version === pool.spec_version ? 'unchanged' : 'updated' }
}
