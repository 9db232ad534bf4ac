import { jobPhaseSchema, kinds } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { failureText, fields } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { defineKind } from './kind.ts'

export const jobKind = defineKind(kinds.Job, {
  columns: ['ID', 'OPERATION', 'RESOURCE', 'PHASE', 'AGE'],
  row: ({ id, operation, resource, phase, createdAt }, { terminal, now }) => [
    id,
    operation,
    `${resource.kind} ${resource.id}`,
    terminal.tone(phaseTone(phase), phase),
    formatAge(createdAt, now),
  ],
  fetchAll: ({ client, signal }, { phase }) =>
    client.jobs.listAll({ phase: phase === undefined ? undefined : knownPhase(phase) }, { signal }),
  fetchOne: ({ client, signal }, reference) => client.jobs.get(reference, { signal }),
  describe: (job, { terminal }) =>
    [
      fields([
        ['Kind', job.kind],
        ['Id', job.id],
        ['Operation', job.operation],
        ['Resource', `${job.resource.kind} ${job.resource.id}`],
        ['Phase', terminal.tone(phaseTone(job.phase), job.phase)],
        ['Created', job.createdAt],
        ['Finished', job.finishedAt],
      ]),
      ...job.log.map(
        ({ time, message, step }) => `${time}  ${step === undefined ? '' : `${step}: `}${message}`,
      ),
      ...(job.failure === null ? [] : [failureText(terminal, job.failure)]),
    ].join('\n'),
})

function knownPhase(phase: string) {
  const parsed = jobPhaseSchema.safeParse(phase)
  if (parsed.success) return parsed.data
  throw new HearthError('invalid', 'no job is ever in that phase', {
    details: [{ field: '--phase', given: phase, expected: `one of ${jobPhaseSchema.options.join(', ')}` }],
  })
}
