import { createHash } from 'node:crypto'
import type { projectCreateSchema, Repository } from '@hearth/contract'
import { canonicalJson, HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import { sql } from 'kysely'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { advisoryLocks } from '../../../database/locks.ts'
import { createProject, projects, specOf } from '../../project/index.ts'
import { type Taken, takeMachine, type WantedMachine } from './take.ts'

type NamelessProject = Omit<z.output<typeof projectCreateSchema>, 'name'>
type WantedOfRepositories = Omit<WantedMachine, 'projectId'> & { project: NamelessProject }

/**
 * A machine of some repositories and of no project in particular. The project that it is of is kept for the next one, and
 * is named after what it holds.
 */
export const takeMachineOfRepositories: Command<WantedOfRepositories, Taken> = {
  async run(tx, context, { project, ...wanted }) {
    const projectId = await projectOf(tx, context, project)
    return takeMachine.run(tx, context, { ...wanted, projectId }, undefined)
  },
  afterCommit: async (context, taken) => takeMachine.afterCommit?.(context, taken),
  afterFailure: (context, error) => takeMachine.afterFailure?.(context, error),
}

async function projectOf(
  tx: DatabaseTransaction,
  context: CommandContext,
  project: NamelessProject,
): Promise<string> {
  const { repositories } = project.spec
  const name = nameOf(repositories)
  const { organizationId } = context.caller
  // Two requests at once for the same repositories find one project, whichever of them makes it.
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.keptProjects}, hashtext(${`${organizationId} ${name}`}))`.execute(
    tx,
  )
  const found = await projects.find(tx, context.caller, name)
  if (found === undefined) return (await createProject.run(tx, context, { ...project, name }, undefined)).id
  if (canonicalJson(specOf(found).repositories) === canonicalJson(repositories)) return found.id
  throw new HearthError(
    'conflict',
    `project ${name} was kept for these repositories and has others now: ask for a machine of it by its name, or delete it`,
  )
}

/** The same for the same repositories. */
function nameOf(repositories: readonly Repository[]): string {
  const digest = createHash('sha256').update(canonicalJson(repositories)).digest('hex').slice(0, 10)
  const words = (repositories[0]?.name ?? 'empty')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 40)
  return `${words === '' ? 'repository' : words}-${digest}`
}
