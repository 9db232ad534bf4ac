import {
  environmentClassCreateSchema,
  environmentCreateSchema,
  standardEnvironmentClasses,
  webAppImage,
} from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Command, CommandContext } from '../../../api/command.ts'
import { validate } from '../../../api/validation.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { advisoryLocks } from '../../../database/locks.ts'
import { createEnvironmentClass, environmentClasses } from '../../environment-class/index.ts'
import { keptProject } from '../../project/index.ts'
import type { EnvironmentRow } from '../table.ts'
import { createEnvironment } from './create.ts'

export interface WantedSize {
  /** By default one is made. No other environment that is there may have it. */
  name?: string | undefined
  labels: Record<string, string>
  size: keyof typeof standardEnvironmentClasses
  region: string
}

/** The project of environments that are of no project. */
const projectName = 'computers'

/** An environment of a standard size in a region, of no project of anybody's. */
export const createSizedEnvironment: Command<WantedSize, EnvironmentRow> = {
  async run(tx, context, { name, labels, size, region }) {
    // Two requests at once find one class, and do not both get a name.
    await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.computers}, hashtext(${context.caller.organizationId}))`.execute(
      tx,
    )
    const project = await keptProject(tx, context.caller.organizationId, projectName)
    await requireRegion(tx, context, region)
    if (name !== undefined) await requireFree(tx, context, name)
    const spec = {
      projectId: project.id,
      environmentClassId: await classOf(tx, context, size, region),
    }
    const input = { labels, spec, ...(name === undefined ? {} : { name }) }
    return createEnvironment.run(tx, context, environmentCreateSchema.parse(input), undefined)
  },
}

async function requireRegion(
  tx: DatabaseTransaction,
  { caller }: CommandContext,
  region: string,
): Promise<void> {
  const rows = await tx
    .selectFrom('runners')
    .select('spec')
    .where('organization_id', '=', caller.organizationId)
    .where('phase', '<>', 'deleted')
    .execute()
  const regions = [...new Set(rows.map(({ spec }) => spec.region))].sort()
  if (regions.includes(region)) return
  throw invalidValue({
    field: 'region',
    given: region,
    expected: regions.length === 0 ? 'that of a runner, and none has joined' : `one of ${regions.join(', ')}`,
  })
}

async function requireFree(tx: DatabaseTransaction, { caller }: CommandContext, name: string): Promise<void> {
  const taken = await tx
    .selectFrom('environments')
    .select('id')
    .where('organization_id', '=', caller.organizationId)
    .where('name', '=', name)
    .where('phase', '<>', 'deleted')
    .executeTakeFirst()
  if (taken === undefined) return
  const details = [{ field: 'name', given: name, expected: 'a name that no other environment has' }]
  throw new HearthError('conflict', `there is an environment ${name} already`, { details })
}

async function hasImage(
  tx: DatabaseTransaction,
  { caller }: CommandContext,
  region: string,
  image: string,
): Promise<boolean> {
  const runner = await tx
    .selectFrom('runners')
    .select('id')
    .where('organization_id', '=', caller.organizationId)
    .where('phase', '<>', 'deleted')
    .where(sql<boolean>`spec->>'region' = ${region} AND status->'facts'->'images' ? ${image}`)
    .executeTakeFirst()
  return runner !== undefined
}

/** Of the size, in the region alone, with the image for web apps where a runner has it; made when it is asked for first. */
async function classOf(
  tx: DatabaseTransaction,
  context: CommandContext,
  size: WantedSize['size'],
  region: string,
): Promise<string> {
  const isForApps = await hasImage(tx, context, region, webAppImage)
  const name = `${size}-${region}${isForApps ? '-web' : ''}`
  const known = await environmentClasses.find(tx, context.caller, name)
  if (known !== undefined) return known.id
  const image = isForApps ? { image: webAppImage } : {}
  const wanted = { name, spec: { ...standardEnvironmentClasses[size], ...image, region } }
  return (
    await createEnvironmentClass.run(
      tx,
      context,
      validate(environmentClassCreateSchema, wanted, 'body'),
      undefined,
    )
  ).id
}
