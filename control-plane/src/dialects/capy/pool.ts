import { z } from '@hono/zod-openapi'
import type { Caller } from '../../api/caller.ts'
import type { Services } from '../../api/services.ts'
import { type ProjectRow, projects } from '../../kinds/project/index.ts'
import { poolOfProject, type WarmPoolRow } from '../../kinds/warm-pool/index.ts'

export const projectParams = z.object({
  projectId: z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/, 'an id, or a name')
    .meta({ description: 'Id of the project, or its name' }),
})

/** The dialect knows one pool per project: the one created first. */
export async function findPool(
  { database }: Services,
  caller: Caller,
  projectId: string,
): Promise<{ project: ProjectRow; pool: WarmPoolRow | undefined }> {
  const project = await projects.get(database, caller, projectId)
  return { project, pool: await poolOfProject(database, caller, project.id) }
}
