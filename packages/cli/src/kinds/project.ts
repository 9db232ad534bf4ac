import { kinds } from '@hearth/contract'
import { describePlain } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { defineKind } from './kind.ts'
import { removeFrom } from './remove-from.ts'

export const projectKind = defineKind(kinds.Project, {
  columns: ['NAME', 'REPOSITORIES', 'SECRETS', 'SETUP', 'AGE', 'ID'],
  row: ({ metadata, spec }, { now }) => [
    metadata.name,
    spec.repositories.map(({ name }) => name).join(', ') || '-',
    String(spec.secretNames.length),
    `${spec.setup.length} commands`,
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  fetchAll: ({ client, signal }) => client.projects.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => client.projects.get(reference, { signal }),
  describe: (project, { terminal, now }) => describePlain(project, terminal, now),
  remove: removeFrom((client) => client.projects),
})
