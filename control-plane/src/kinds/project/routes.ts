import {
  listQuerySchema,
  listSchema,
  nameSchema,
  projectCreateSchema,
  projectSchema,
  projectUpdateSchema,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idOrNameParams, readPage, requireVersion } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { wake, wakeAll } from '../../reconciling/wake.ts'
import { recordEvent } from '../event/index.ts'
import { changeProject, createProject } from './change.ts'
import { dependentsOf, findProject, listProjects, lockProject, updateProject } from './queries.ts'
import { toProject } from './table.ts'

const tag = 'Projects'
const path = '/v1/projects'
const deleteQuery = z.strictObject({ force: z.enum(['true', 'false']).default('false') })

export function addProjectRoutes(application: Application, services: Services): void {
  const { database, encryption } = services
  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List projects',
    roles: readers,
    query: listQuerySchema.extend({ name: nameSchema.optional() }),
    answer: { status: 200, schema: listSchema(projectSchema), description: 'Projects' },
    handle: async ({ caller, query }) => {
      const { organizationId } = caller
      const read = (part: { limit: number }) => listProjects(database, { organizationId, ...query, ...part })
      return { status: 200, value: await readPage(query, read, toProject) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path,
    tag,
    summary: 'Make a project',
    roles: writers,
    body: projectCreateSchema,
    answer: { status: 201, schema: projectSchema, description: 'The project; secrets by name only' },
    handle: async ({ caller, body, once }) =>
      once(async (tx) => {
        const { organizationId, principalId: creator, limits } = caller
        const created = { ...body, organizationId, creator, limits }
        return { status: 201, value: toProject(await createProject(tx, encryption, created)) }
      }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}`,
    tag,
    summary: 'Show a project',
    roles: readers,
    params: idOrNameParams,
    answer: { status: 200, schema: projectSchema, description: 'The project' },
    handle: async ({ caller, params }) => {
      const row = await findProject(database, caller.organizationId, params.id)
      return { status: 200, value: toProject(found(row, 'project', params.id)) }
    },
  })
  addEndpoint(application, services, {
    method: 'patch',
    path: `${path}/{id}`,
    tag,
    summary: 'Change a project; a field that is given replaces the whole field',
    roles: writers,
    params: idOrNameParams,
    body: projectUpdateSchema,
    answer: { status: 200, schema: projectSchema, description: 'The project' },
    handle: async ({ caller, params, body, expectedVersion }) =>
      transact(database, async (tx) => {
        const row = found(await lockProject(tx, caller.organizationId, params.id), 'project', params.id)
        requireVersion(expectedVersion, row.spec_version)
        const changed = await changeProject(tx, encryption, row, {
          labels: body.labels,
          spec: body.spec ?? {},
        })
        return { status: 200, value: toProject(changed ?? row) }
      }),
  })
  addEndpoint(application, services, {
    method: 'delete',
    path: `${path}/{id}`,
    tag,
    summary: 'Delete a project with its pools and machines; claimed machines only with force=true',
    roles: writers,
    params: idOrNameParams,
    query: deleteQuery,
    answer: { status: 202, schema: projectSchema, description: 'The project, going' },
    handle: async ({ caller, params, query, expectedVersion }) =>
      transact(database, async (tx) => {
        const row = found(await lockProject(tx, caller.organizationId, params.id), 'project', params.id)
        requireVersion(expectedVersion, row.spec_version)
        const dependents = await dependentsOf(tx, row.id)
        if (dependents.claimed > 0 && query.force !== 'true') {
          throw new HearthError(
            'conflict',
            `${dependents.claimed} machines of ${row.name} are claimed: release them, or use force=true`,
          )
        }
        const going =
          row.phase === 'deleting' ? row : await updateProject(tx, row.id, { ...row, phase: 'deleting' })
        if (going !== row) await recordEvent(tx, 'updated', toProject(going))
        await wakeAll(tx, 'warm-pool', dependents.warmPoolIds)
        await wakeAll(tx, 'environment', dependents.environmentIds)
        await wake(tx, 'project', row.id)
        return { status: 202, value: toProject(going) }
      }),
  })
}
