import { kinds } from '@hearth/contract'
import { describePlain } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { defineKind } from './kind.ts'

export const organizationKind = defineKind(kinds.Organization, {
  columns: ['NAME', 'TITLE', 'AGE', 'ID'],
  row: ({ metadata, spec }, { now }) => [
    metadata.name,
    spec.displayName,
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  fetchAll: ({ client, signal }) => client.organizations.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => client.organizations.get(reference, { signal }),
  describe: (organization, { terminal, now }) => describePlain(organization, terminal, now),
})
