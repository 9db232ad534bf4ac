import type { ProcessRun, Service, Task } from '@hearth/contract'
import { failureText, fields, headFields } from '../output/describe.ts'
import { formatAge, formatDuration } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { formatSize } from '../output/size.ts'
import type { Names, View } from './kind.ts'
import { named, namesOf } from './names.ts'

export type Process = Task | Service

export const processColumns = [
  'NAME',
  'ENVIRONMENT',
  'PHASE',
  'RUN',
  'ENDED',
  'TOOK',
  'RESTARTS',
  'AGE',
  'ID',
]

/** A row of tasks or services. */
export function processRow(
  { metadata, spec, status }: Process,
  { terminal, now }: Pick<View, 'terminal' | 'now'>,
  names: Names,
): string[] {
  return [
    metadata.name,
    named(names, spec.environmentId),
    terminal.tone(phaseTone(status.phase), status.phase),
    status.run === null ? '-' : `${status.run.number}`,
    endOf(status.run),
    status.run === null ? '-' : took(status.run, now),
    `${status.restarts}`,
    formatAge(metadata.createdAt, now),
    metadata.id,
  ]
}

export async function environmentNames(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  items: Promise<readonly Process[]>,
): Promise<Names> {
  const ids = (await items).map(({ spec }) => spec.environmentId)
  return await namesOf(client.environments, ids, signal)
}

/** How a run ended, in a word. */
export function endOf(run: ProcessRun | null): string {
  if (run === null || run.cause === null) return '-'
  if (run.cause === 'exit') return `exit ${run.exitCode}`
  return run.cause === 'signal' ? (run.signal ?? 'signal') : run.cause.replace('_', ' ')
}

function took({ startedAt, finishedAt }: ProcessRun, now: Date): string {
  const end = finishedAt === null ? now.getTime() : Date.parse(finishedAt)
  return formatDuration(Math.max(0, end - Date.parse(startedAt)))
}

export function describeProcess(process: Process, { now, terminal }: View, names: Names): string {
  const { spec, status } = process
  const { run, failure } = status
  const head = fields([
    ...headFields(process, now),
    ['Environment', named(names, spec.environmentId)],
    ['Declared by', spec.isDeclared ? declarerOf(spec.repository ?? null) : null],
    ['Command', spec.command],
    ['In', spec.folder],
    ['As', spec.user === 'root' ? null : spec.user],
    ['After', spec.dependsOn.join(', ') || null],
    [
      'Begins',
      spec.on === 'cron' && 'schedule' in spec && spec.schedule !== null
        ? scheduleOf(spec.schedule)
        : spec.on,
    ],
    ['Restart', spec.restart.policy],
    ['Phase', terminal.tone(phaseTone(status.phase), status.phase)],
    ['Waits for', status.waitsFor],
    ['Next run', 'nextRunAt' in status ? status.nextRunAt : null],
    [
      'Runs',
      `${status.runs}${status.restarts === 0 ? '' : `, the last ${status.restarts} restarts in a row`}`,
    ],
    ['Last run', run === null ? null : `${run.number}, begun ${run.startedAt}, ${took(run, now)}`],
    ['Ready', run?.readyAt ?? null],
    ['Ended', run === null || run.cause === null ? null : endOf(run)],
    ['Printed', run === null ? null : formatSize(run.outputBytes)],
  ])
  const parts = [head]
  if (failure !== null) parts.push('', failureText(terminal, failure))
  else if (run !== null && run.output.trim() !== '') parts.push('', run.output.trimEnd())
  return parts.join('\n')
}

const declarerOf = (repository: string | null) =>
  repository === null ? 'its project' : `hearth.yaml of repository ${repository}`

const scheduleOf = ({ cron, timeZone }: { cron: string; timeZone: string }) => `at ${cron} (${timeZone})`
