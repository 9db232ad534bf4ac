import { kinds } from '@hearth/contract'
import { describePlain } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { defineKind } from './kind.ts'
import { removeFrom } from './remove-from.ts'

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
  remove: removeFrom((client) => client.runners),
})
