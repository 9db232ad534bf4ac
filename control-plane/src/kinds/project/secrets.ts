import { projectUpdateSchema } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Command, CommandContext } from '../../api/command.ts'
import { validate } from '../../api/validation.ts'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { ListFilter, OrganizationScope } from '../../resource/queries.ts'
import { changeProject } from './commands.ts'
import { projects, readSecrets } from './queries.ts'

/** One secret of a project, without its value, which never comes out. */
export interface NamedSecret {
  /** Made of its project and its name: one that is made again under its name has it again. */
  id: string
  name: string
  projectId: string
}

/** A UUID of version 8 from the start of a digest. */
const idInSql = sql`overlay(overlay(substr(encode(sha256(convert_to(
  secret.project_id::text || ':' || secret.name, 'UTF8')), 'hex'), 1, 32)
  placing '8' from 13 for 1) placing 'a' from 17 for 1)::uuid`

/** The last by id first, one more than the limit when there are more. What is not given, or empty, narrows nothing. */
export async function searchSecrets(
  queryable: Queryable,
  { organizationId, after, limit }: ListFilter,
  { ids, projectIds }: { ids?: readonly string[]; projectIds?: readonly string[] | undefined },
): Promise<NamedSecret[]> {
  const { rows } = await sql<NamedSecret>`
    SELECT id, name, project_id AS "projectId" FROM (
      SELECT ${idInSql} AS id, secret.name, secret.project_id
      FROM project_secrets AS secret JOIN projects ON projects.id = secret.project_id
      WHERE projects.organization_id = ${organizationId}
        ${projectIds?.length ? sql`AND projects.id = ANY(${projectIds}::uuid[])` : sql``}
    ) AS named
    WHERE true
      ${ids === undefined ? sql`` : sql`AND id = ANY(${ids}::uuid[])`}
      ${after === undefined ? sql`` : sql`AND id < ${after}`}
    ORDER BY id DESC LIMIT ${limit + 1}`.execute(queryable)
  return rows
}

async function getSecret(
  queryable: Queryable,
  { organizationId }: OrganizationScope,
  id: string,
): Promise<NamedSecret> {
  const [found] = isId(id) ? await searchSecrets(queryable, { organizationId, limit: 1 }, { ids: [id] }) : []
  if (found === undefined) throw new HearthError('not_found', `there is no secret ${id}`)
  return found
}

/** Gives a project one more secret: the others stay. */
export const createSecret: Command<{ project: string; name: string; value: string }, NamedSecret> = {
  async run(tx, context, { project: reference, name, value }) {
    const { id: projectId, name: project } = await projects.lockForChange(tx, context, reference)
    await write(tx, context, projectId, (before) => {
      if (Object.hasOwn(before, name))
        throw new HearthError('conflict', `project ${project} has a secret ${name} already`, {
          isTaken: true,
        })
      return { ...before, [name]: value }
    })
    const { organizationId } = context.caller
    const all = await searchSecrets(tx, { organizationId, limit: mostOfProject }, { projectIds: [projectId] })
    const made = all.find((one) => one.name === name)
    if (made === undefined) throw new Error(`project ${projectId} has no secret ${name} that was made`)
    return made
  },
}

const mostOfProject = 1_000

export const changeSecret: Command<{ id: string; value: string }, NamedSecret> = {
  async run(tx, context, { id, value }) {
    const secret = await getSecret(tx, context.caller, id)
    await write(tx, context, secret.projectId, (before) => ({ ...before, [secret.name]: value }))
    return secret
  },
}

export const deleteSecret: Command<{ id: string }, NamedSecret> = {
  async run(tx, context, { id }) {
    const secret = await getSecret(tx, context.caller, id)
    await write(tx, context, secret.projectId, ({ [secret.name]: _, ...others }) => others)
    return secret
  },
}

async function write(
  tx: DatabaseTransaction,
  context: CommandContext,
  projectId: string,
  change: (before: Record<string, string>) => Record<string, string>,
): Promise<void> {
  await projects.lockForChange(tx, context, projectId)
  const secrets = change(await readSecrets(tx, context.services.encryption, projectId))
  const body = validate(projectUpdateSchema, { spec: { secrets } }, 'body')
  await changeProject.run(tx, context, { reference: projectId, body }, undefined)
}
