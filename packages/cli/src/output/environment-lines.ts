import { type Environment, type StepStatus, stepKey } from '@hearth/contract'
import { formatDuration } from './duration.ts'
import { phaseTone } from './phase-tone.ts'
import { stepTime } from './step-table.ts'
import { renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

/** One line per environment: its phase or step, and since when or how long it took. */
export function environmentLines(
  environments: readonly Environment[],
  terminal: Terminal,
  now: Date,
): string {
  if (environments.length === 0) return 'no environment yet'
  const rows = environments.map((environment) => {
    const { phase } = environment.status
    return [
      environment.metadata.name,
      terminal.tone(phaseTone(phase), stage(environment)),
      timeOf(environment, now),
    ]
  })
  return renderTable({ columns: ['environment', 'is at', 'time'], rows })
    .split('\n')
    .slice(1)
    .join('\n')
}

/** An environment's phase, or its running or failed step. */
export function stage({ status }: Environment): string {
  const step = status.steps.find(({ phase }) => phase === 'running' || phase === 'failed')
  if (status.phase === 'failed') return step === undefined ? 'failed' : `failed in ${stepKey(step)}`
  if (status.phase === 'provisioning' && step !== undefined) return stepKey(step)
  return status.claimId === null ? status.phase : `${status.phase}, claimed`
}

function timeOf({ metadata, status }: Environment, now: Date): string {
  const step = status.steps.find(({ phase }) => phase === 'running')
  if (status.phase === 'provisioning' && step !== undefined) return stepTime(step, now)
  if (status.readyAt !== null) return `ready after ${between(metadata.createdAt, status.readyAt)}`
  if (status.phase === 'pending') return status.placement ?? ''
  return status.failure?.message ?? ''
}

export function between(from: string, to: string): string {
  return formatDuration(Math.max(0, Date.parse(to) - Date.parse(from)))
}

function readyLines({ metadata, status }: Environment): string[] {
  return status.readyAt === null
    ? []
    : [`${metadata.name}: ready after ${between(metadata.createdAt, status.readyAt)}`]
}

const ended: readonly StepStatus['phase'][] = ['succeeded', 'failed']

/** Changes of an environment since it was last seen, one plain line each: for logs and pipes. */
export function changeLines(before: Environment | undefined, environment: Environment): string[] {
  const { name } = environment.metadata
  // The steps of an environment that was ready from the start are not news.
  if (before === undefined && environment.status.phase === 'running') return readyLines(environment)
  const known = new Map(before?.status.steps.map((step) => [stepKey(step), step.phase]))
  const lines = environment.status.steps
    .filter((step) => known.get(stepKey(step)) !== step.phase)
    .flatMap((step) => {
      if (step.phase === 'running') return `${name}: ${stepKey(step)} ...`
      if (!ended.includes(step.phase)) return []
      const time =
        step.durationMilliseconds === null ? '' : ` in ${formatDuration(step.durationMilliseconds)}`
      return `${name}: ${stepKey(step)} ${step.phase}${time}`
    })
  const { phase, failure } = environment.status
  if (before?.status.phase === phase) return lines
  // One that goes on, as after a suspension, became ready long ago.
  if (phase === 'running' && before?.status.readyAt != null) lines.push(`${name}: running`)
  else if (phase === 'running') lines.push(...readyLines(environment))
  else if (phase === 'failed') lines.push(`${name}: failed: ${failure?.message ?? 'no cause is known'}`)
  else if (phase !== 'provisioning' || before === undefined) lines.push(`${name}: ${phase}`)
  return lines
}
