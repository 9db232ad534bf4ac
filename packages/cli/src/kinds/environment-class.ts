import { kinds } from '@hearth/contract'
import { describePlain } from '../output/describe.ts'
import { goneIsNull } from './gone-is-null.ts'
import { defineKind } from './kind.ts'

export const environmentClassKind = defineKind(kinds.EnvironmentClass, {
  columns: ['NAME', 'CPUS', 'MEMORY', 'DISK', 'IMAGE', 'REGION', 'ID'],
  row: ({ metadata, spec }) => [
    metadata.name,
    String(spec.virtualCpus),
    `${spec.memoryMebibytes} MiB`,
    `${spec.diskGibibytes} GiB`,
    spec.image,
    spec.region ?? 'any',
    metadata.id,
  ],
  fetchAll: ({ client, signal }) => client.environmentClasses.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => client.environmentClasses.get(reference, { signal }),
  describe: (environmentClass, { terminal, now }) => describePlain(environmentClass, terminal, now),
  async remove({ client, signal }, reference) {
    const { metadata } = await client.environmentClasses.get(reference, { signal })
    await client.environmentClasses.delete(metadata.id, { signal })
    return {
      id: metadata.id,
      name: metadata.name,
      gone: async (waiting) =>
        (await client.environmentClasses.get(metadata.id, { signal: waiting }).catch(goneIsNull)) === null,
    }
  },
})
