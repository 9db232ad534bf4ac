import type { Repository } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { projects } from '../../kinds/project/index.ts'
import { capyErrors } from './error.ts'
import { idOf, pageOf, pageSchema, pagingSchema } from './paging.ts'

const projectSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    taskCode: z.string(),
    repos: z.array(z.object({ repoFullName: z.string(), branch: z.string().nullable() })),
  })
  .meta({ id: 'CapyProject' })

export function addProjectRoutes(application: Application, services: Services): void {
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/projects',
      tag: 'Projects',
      summary: 'List projects',
      roles: readers,
      query: pagingSchema,
      answer: { status: 200, schema: pageSchema(projectSchema), description: 'A page of projects' },
      handle: async ({ caller, query }) => {
        const { organizationId } = caller
        const after = idOf(query.cursor)
        const rows = await projects.list(services.database, { organizationId, after, limit: query.limit })
        const toItem = ({ id, name, spec }: (typeof rows)[number]) => ({
          id,
          name,
          taskCode: taskCode(name),
          repos: spec.repositories.map(({ url, branch }) => ({ repoFullName: fullName(url), branch })),
        })
        return { status: 200, value: pageOf(rows, query.limit, toItem) }
      },
    },
    capyErrors,
  )
}

/** The project's short code, which the dialect puts before a task's number. */
export function taskCode(name: string): string {
  return name
    .replace(/[^a-z0-9]/gi, '')
    .slice(0, 4)
    .toUpperCase()
}

/** `org/shop` from any form of the repository's URL. */
export function fullName(url: Repository['url']): string {
  const path = url.replace(/^[a-z]+:\/\/[^/]*\//i, '').replace(/^[^/:]*:/, '')
  return path.replace(/\.git\/?$/, '').replace(/^\/+|\/+$/g, '')
}
