import { artifactSchema, listQuerySchema, listSchema } from '@hearth/contract'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, readPage } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import type { AddRoute } from '../../resource/routes.ts'
import { collectArtifacts, findArtifact, listArtifacts } from './queries.ts'
import { receiveArtifact } from './receive.ts'
import { toArtifact } from './table.ts'
import { uploadTypes } from './upload-body.ts'

const path = '/v1/artifacts'
const tag = 'Artifacts'
const answer = { schema: artifactSchema, description: 'The artifact' }

const upload: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path,
    tag,
    summary:
      'Upload an app: a ZIP with a bentocloud.toml in its top folder, as application/zip or as the field file of a form. The same one is stored once. One that no deployment needs is removed after an hour',
    roles: writers,
    upload: uploadTypes,
    answer: { status: 201, ...answer },
    handle: async ({ caller, context }) => {
      const { artifact } = await receiveArtifact(services, caller, context)
      return { status: 201, value: artifact }
    },
  })

const show: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}`,
    tag,
    summary: 'Show an uploaded app, without its bytes',
    roles: readers,
    params: idParams,
    answer: { status: 200, ...answer },
    handle: async ({ caller, params: { id } }) => {
      const row = await findArtifact(services.database, caller.organizationId, id)
      return { status: 200, value: toArtifact(found(row, 'artifact', id)) }
    },
  })

const list: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List uploaded apps, the oldest first',
    roles: readers,
    query: listQuerySchema,
    answer: { status: 200, schema: listSchema(artifactSchema), description: 'Artifacts' },
    handle: async ({ caller: { organizationId }, query }) => {
      const read = (part: { after: string | undefined; limit: number }) =>
        listArtifacts(services.database, { organizationId, ...part })
      return { status: 200, value: await readPage(query, read, toArtifact) }
    },
  })

export const artifactKind: Kind = {
  name: 'artifact',
  routes: [upload, list, show],
  everyMinute: async ({ database, log }) => {
    const removed = await collectArtifacts(database)
    if (removed > 0) log.info({ removed }, 'removed artifacts that nothing needs')
  },
}
