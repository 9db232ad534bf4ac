import { kinds, type Prebuild } from '@hearth/contract'
import { failureText, fields, headFields } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { formatSize } from '../output/size.ts'
import { defineKind, type Names, type View } from './kind.ts'
import { named, referenceNames } from './names.ts'
import { projectIdOf } from './project-id.ts'
import { removeFrom } from './remove-from.ts'

export const prebuildKind = defineKind(kinds.Prebuild, {
  columns: ['NAME', 'PROJECT', 'CLASS', 'PHASE', 'TRIGGER', 'SIZE', 'AGE', 'ID'],
  namesNeeded: referenceNames,
  row: ({ metadata, spec, status }, { terminal, now }, names) => [
    metadata.name,
    named(names, spec.projectId),
    named(names, spec.environmentClassId),
    terminal.tone(phaseTone(status.phase), status.phase),
    spec.trigger.kind,
    formatSize(status.bytes),
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  async fetchAll({ client, signal }, { project }) {
    const projectId = await projectIdOf({ client, signal }, project)
    return await client.prebuilds.listAll({ projectId }, { signal })
  },
  fetchOne: ({ client, signal }, reference) => client.prebuilds.get(reference, { signal }),
  describe: describePrebuild,
  remove: removeFrom((client) => client.prebuilds),
})

function describePrebuild(prebuild: Prebuild, { now, terminal }: View, names: Names): string {
  const { spec, status } = prebuild
  const { by, ref, commit, kind } = spec.trigger
  const { progress, failure } = status
  const head = fields([
    ...headFields(prebuild, now),
    ['Project', named(names, spec.projectId)],
    ['Class', named(names, spec.environmentClassId)],
    ['Phase', terminal.tone(phaseTone(status.phase), status.phase)],
    ['Trigger', [kind, ref, commit, by].filter((part) => part !== null).join(' ')],
    ['Branch', spec.branch],
    ['Timeout', `${Math.round(spec.timeoutSeconds / 60)} minutes`],
    ['Started', status.startedAt],
    ['Ended', status.completedAt],
    ['Based on', status.basedOnId],
    ['Snapshot', status.snapshotId],
    ['Size', status.bytes === null ? null : formatSize(status.bytes)],
    [
      'Frozen',
      progress === null ? null : `${formatSize(progress.doneBytes)} of ${formatSize(progress.totalBytes)}`,
    ],
    ['Failed boots', status.failedBoots === 0 ? null : String(status.failedBoots)],
    ['Unexplained boots', status.unexplainedBoots === 0 ? null : String(status.unexplainedBoots)],
    ...status.steps.map(({ name, repository, phase }): [string, string] => [
      repository === null ? name : `${name} ${repository}`,
      phase,
    ]),
    ...status.warnings.map((warning): [string, string] => ['Warning', warning]),
  ])
  return failure === null ? head : [head, '', failureText(terminal, failure)].join('\n')
}
