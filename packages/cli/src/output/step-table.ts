import { type StepStatus, startOfText, stepKey } from '@hearth/contract'
import { formatDuration } from './duration.ts'
import { phaseTone } from './phase-tone.ts'
import { renderTable, type Table } from './table.ts'
import type { Terminal } from './terminal.ts'

/** One row per provisioning step, with its duration until now. */
export function stepTable(steps: readonly StepStatus[], terminal: Terminal, now: Date): Table {
  return {
    columns: ['STEP', 'PHASE', 'TIME', 'OUTPUT', 'ERROR'],
    rows: steps.map((step) => [
      stepKey(step),
      terminal.tone(phaseTone(step.phase), step.phase),
      stepTime(step, now),
      step.outputBytes === 0 ? '' : `${step.outputBytes} B`,
      step.error ?? '',
    ]),
  }
}

/** The same during a run: without a heading, and only steps that have begun or come next. */
export function stepLines(steps: readonly StepStatus[], terminal: Terminal, now: Date): string {
  const rows = steps.map((step) => [
    stepKey(step),
    terminal.tone(phaseTone(step.phase), step.phase),
    stepTime(step, now),
    lastLine(step),
  ])
  if (rows.length === 0) return 'no step yet'
  return renderTable({ columns: ['step', 'phase', 'time', 'says'], rows })
    .split('\n')
    .slice(1)
    .join('\n')
}

/** The last line of output of a running step. */
function lastLine({ phase, output }: StepStatus): string {
  return phase === 'running' ? startOfText(output.trimEnd().split('\n').at(-1) ?? '', 80) : ''
}

export function stepTime(step: StepStatus, now: Date): string {
  if (step.durationMilliseconds !== null) return formatDuration(step.durationMilliseconds)
  if (step.startedAt === null || step.phase !== 'running') return ''
  return `${formatDuration(Math.max(0, now.getTime() - Date.parse(step.startedAt)))} so far`
}
