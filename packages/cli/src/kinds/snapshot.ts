import { kinds, type Snapshot } from '@hearth/contract'
import { failureText, fields, headFields } from '../output/describe.ts'
import { formatAge, formatDuration } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { formatSize } from '../output/size.ts'
import { heldText, holderText } from '../output/snapshot-text.ts'
import { defineKind, type Names, type View } from './kind.ts'
import { joined, named, namesOf, referenceNames } from './names.ts'
import { projectIdOf } from './project-id.ts'
import { removeFrom } from './remove-from.ts'

export const snapshotKind = defineKind(kinds.Snapshot, {
  columns: ['NAME', 'OF', 'FOR', 'PHASE', 'HAS', 'SIZE', 'RUNNERS', 'AGE', 'ID'],
  namesNeeded: (view, items) => joined(referenceNames(view), originNames(view, items)),
  row: (snapshot, { terminal, now }, names) => {
    const { metadata, spec, status } = snapshot
    return [
      metadata.name,
      named(names, spec.environmentId),
      spec.purpose,
      terminal.tone(phaseTone(status.phase), status.phase),
      heldText(snapshot),
      formatSize(status.bytes === null ? null : status.bytes.own + status.bytes.memory),
      status.holders.map(({ runner }) => runner).join(',') || '-',
      formatAge(metadata.createdAt, now),
      metadata.id,
    ]
  },
  async fetchAll({ client, signal }, { project }) {
    const projectId = await projectIdOf({ client, signal }, project)
    return await client.snapshots.listAll({ projectId }, { signal })
  },
  fetchOne: ({ client, signal }, reference) => client.snapshots.get(reference, { signal }),
  describe: describeSnapshot,
  remove: removeFrom((client) => client.snapshots),
})

/** Names of the machines and claims that they were made of, and of the snapshots they stand on. */
async function originNames({ client, signal }: View, items: Promise<readonly Snapshot[]>): Promise<Names> {
  const all = await items
  const environmentIds = all.map(({ spec }) => spec.environmentId)
  const claimIds = all.map(({ spec }) => spec.claimId)
  const parentIds = all.map(({ status }) => status.parentId)
  return await joined(
    namesOf(client.environments, environmentIds, signal),
    namesOf(client.claims, claimIds, signal),
    namesOf(client.snapshots, parentIds, signal),
  )
}

function describeSnapshot(snapshot: Snapshot, { now, terminal }: View, names: Names): string {
  const { spec, status } = snapshot
  const { bytes, failure, machine, memory, pausedMilliseconds } = status
  const nameOrNull = (id: string | null) => (id === null ? null : named(names, id))
  const head = fields([
    ...headFields(snapshot, now),
    ['Project', named(names, spec.projectId)],
    ['Of', named(names, spec.environmentId)],
    ['Of claim', nameOrNull(spec.claimId)],
    ['For', spec.purpose],
    ['Phase', terminal.tone(phaseTone(status.phase), status.phase)],
    ['Has', heldText(snapshot)],
    ['No memory', memory?.reason ?? null],
    [
      'Without',
      status.volumesLeftOut.map(({ name, mountPath }) => `volume ${name} (${mountPath})`).join(', ') || null,
    ],
    [
      'Machine',
      `${machine.virtualCpus} vCPU, ${machine.memoryMebibytes} MiB, ${machine.diskGibibytes} GiB, ${machine.image}`,
    ],
    ['Stands on', nameOrNull(status.parentId)],
    ['Disk', bytes === null ? null : `${formatSize(bytes.own)} (${formatSize(bytes.total)} with all below)`],
    ['Memory', bytes === null || bytes.memory === 0 ? null : formatSize(bytes.memory)],
    ['Stood still', pausedMilliseconds === null ? null : formatDuration(pausedMilliseconds)],
    ['Ready', status.readyAt],
    ['Steps done', status.heldSteps.join(', ') || null],
    ...status.holders.map((holder): [string, string] => [`On ${holder.runner}`, holderText(holder)]),
  ])
  return failure === null ? head : [head, '', failureText(terminal, failure)].join('\n')
}
