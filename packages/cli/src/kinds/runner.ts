import { kinds } from '@hearth/contract'
import { describePlain } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { goneIsNull } from './gone-is-null.ts'
import { defineKind } from './kind.ts'

export const runnerKind = defineKind(kinds.Runner, {
  columns: [
    'NAME',
    'PHASE',
    'SCHEDULING',
    'VIRTUALIZATION',
    'CPUS',
    'MEMORY',
    'MACHINES',
    'IMAGES',
    'SEEN',
    'ID',
  ],
  row: ({ metadata, spec, status }, { terminal, now }) => [
    metadata.name,
    terminal.tone(phaseTone(status.phase), status.phase),
    spec.scheduling,
    status.facts?.virtualization ?? '-',
    status.facts === null ? '-' : String(status.facts.virtualCpus),
    status.facts === null ? '-' : `${status.facts.memoryMebibytes} MiB`,
    String(status.environments),
    status.facts?.images.join(', ') || '-',
    status.lastSeenAt === null ? 'never' : `${formatAge(status.lastSeenAt, now)} ago`,
    metadata.id,
  ],
  fetchAll: ({ client, signal }) => client.runners.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => client.runners.get(reference, { signal }),
  describe: (runner, { terminal, now }) => describePlain(runner, terminal, now),
  async remove({ client, signal }, reference, { force }) {
    const { metadata } = await client.runners.get(reference, { signal })
    await client.runners.delete(metadata.id, { force, signal })
    return {
      id: metadata.id,
      name: metadata.name,
      gone: async (waiting) => {
        const seen = await client.runners.get(metadata.id, { signal: waiting }).catch(goneIsNull)
        return seen === null || seen.status.phase === 'deleted'
      },
    }
  },
})
