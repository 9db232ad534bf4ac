import { kinds, type Volume } from '@hearth/contract'
import { failureText, fields, headFields } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { sizeText } from '../volume-size.ts'
import { defineKind, type Names, type View } from './kind.ts'
import { named, namesOf } from './names.ts'
import { removeFrom } from './remove-from.ts'

export const volumeKind = defineKind(kinds.Volume, {
  columns: ['NAME', 'SIZE', 'USED', 'MACHINE', 'MOUNTED AT', 'RUNNER', 'PHASE', 'AGE', 'ID'],
  namesNeeded: volumeNames,
  row: ({ metadata, spec, status }, { terminal, now }, names) => [
    metadata.name,
    sizeText(spec.sizeMebibytes),
    status.usedMebibytes === null ? '-' : sizeText(status.usedMebibytes),
    spec.environmentId === null ? '-' : named(names, spec.environmentId),
    spec.isSnapshot ? 'snapshot' : spec.mountPath,
    status.runnerId === null ? '-' : named(names, status.runnerId),
    terminal.tone(phaseTone(status.phase), status.phase),
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  fetchAll: ({ client, signal }) => client.volumes.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => client.volumes.get(reference, { signal }),
  describe: describeVolume,
  remove: removeFrom((client) => client.volumes),
})

async function volumeNames({ client, signal }: View, items: Promise<readonly Volume[]>): Promise<Names> {
  const volumes = await items
  const [machines, runners] = await Promise.all([
    namesOf(
      client.environments,
      volumes.flatMap(({ spec }) => spec.environmentId ?? []),
      signal,
    ),
    namesOf(
      client.runners,
      volumes.flatMap(({ status }) => status.runnerId ?? []),
      signal,
    ),
  ])
  return new Map([...machines, ...runners])
}

function describeVolume(volume: Volume, { now, terminal }: View, names: Names): string {
  const { spec, status } = volume
  const head = fields([
    ...headFields(volume, now),
    ['Size', sizeText(spec.sizeMebibytes)],
    ['Used', status.usedMebibytes === null ? null : sizeText(status.usedMebibytes)],
    ['Snapshot', spec.isSnapshot ? 'yes: it is copied from, and never attached' : null],
    ['Runner', status.runnerId === null ? 'that of its first machine' : named(names, status.runnerId)],
    ['Machine', spec.environmentId === null ? null : named(names, spec.environmentId)],
    [
      'Mounted at',
      spec.isSnapshot ? null : `${spec.mountPath}${status.isMounted ? '' : ' when its machine runs'}`,
    ],
    ['Phase', terminal.tone(phaseTone(status.phase), status.phase)],
    ['Waits for', status.waitsFor],
  ])
  return status.failure === null ? head : [head, '', failureText(terminal, status.failure)].join('\n')
}
