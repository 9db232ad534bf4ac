import { isProgramFaulty, kinds, type Pipeline } from '@hearth/contract'
import { fields, headFields } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { programFaults } from '../output/pipeline-text.ts'
import { defineKind, type Names, type View } from './kind.ts'
import { named, namesOf } from './names.ts'
import { removeFrom } from './remove-from.ts'

export const pipelineKind = defineKind(kinds.Pipeline, {
  columns: ['NAME', 'TOOLCHAIN', 'PHASE', 'PROGRAM', 'STORAGE', 'ERROR', 'AGE', 'ID'],
  namesNeeded: async ({ client, signal }, items) =>
    namesOf(
      client.environmentClasses,
      (await items).map(({ spec }) => spec.environmentClassId),
      signal,
    ),
  row: ({ metadata, spec, status }, { terminal, now }) => [
    metadata.name,
    spec.program.toolchain,
    terminal.tone(phaseTone(status.phase), status.phase),
    terminal.tone(isProgramFaulty(status.program) ? 'bad' : 'plain', status.program),
    status.storage,
    status.error?.code ?? '-',
    formatAge(metadata.createdAt, now),
    metadata.id,
  ],
  fetchAll: ({ client, signal }) => client.pipelines.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => client.pipelines.get(reference, { signal }),
  describe: describePipeline,
  remove: removeFrom((client) => client.pipelines),
})

function describePipeline(pipeline: Pipeline, { terminal, now }: View, names: Names): string {
  const { spec, status } = pipeline
  const { program } = spec
  const head = fields([
    ...headFields(pipeline, now),
    ['Description', spec.description === '' ? null : spec.description],
    ['Tags', spec.tags.length === 0 ? null : spec.tags.join(', ')],
    ['Class', named(names, spec.environmentClassId)],
    ['Toolchain', program.toolchain],
    ['Program', `${program.codeBytes} bytes, ${status.program}`],
    ['Phase', terminal.tone(phaseTone(status.phase), status.phase)],
    ['Wanted', spec.desired === 'stopped' ? 'stopped' : (spec.desiredRuntime ?? spec.initial)],
    ['Storage', status.storage],
    ['Machine', status.deployment?.environmentId ?? null],
  ])
  const { error } = status
  const parts = [
    head,
    ...(isProgramFaulty(status.program) ? [terminal.tone('bad', programFaults(status))] : []),
    ...(error === null ? [] : [terminal.tone('bad', `Stopped with ${error.code}: ${error.message}`)]),
  ]
  return parts.join('\n\n')
}
