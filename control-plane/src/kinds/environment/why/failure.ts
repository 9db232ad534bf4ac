import { type Evidence, type StepStatus, stepKey } from '@hearth/contract'
import { ownerWords } from './owner.ts'
import type { EnvironmentSight, Reasons } from './sight.ts'

const linesTold = 10

/** The step, the cause and the last lines. */
export function explainFailure(seen: EnvironmentSight): Reasons {
  const { status, metadata } = seen.environment
  const { failure } = status
  const step = status.steps.find(({ phase }) => phase === 'failed')
  const where = seen.runner === null ? '' : ` on ${seen.runner.name}`
  const cause = failure?.message ?? 'no cause was reported'
  const inStep = step === undefined ? '' : ` in ${stepKey(step)}`
  const lines = failure?.lastLines ?? outputOf(step)
  const another = seen.claim === null ? ownerWords(seen).whenFailed : null
  const retry = `\`hearth retry ${metadata.name}\` tries it once more`
  const placement: Evidence[] =
    seen.runner === null && status.placement !== null
      ? [{ what: `placement said: ${status.placement}`, at: null }]
      : []
  return {
    sentence: `it failed${inStep}${where}: ${cause}`,
    evidence: [
      { what: `the cause is of the kind ${failure?.code ?? 'internal'}`, at: seen.phaseSince.toISOString() },
      ...(step === undefined ? [] : [stepEvidence(step)]),
      ...placement,
      ...lines.slice(-linesTold).map((line) => ({ what: `| ${line}`, at: null })),
    ],
    next: another === null ? retry : `${another}; ${retry}`,
  }
}

function stepEvidence(step: StepStatus): Evidence {
  const exit = step.exitCode === null ? '' : ` with exit status ${step.exitCode}`
  return { what: `${stepKey(step)} failed${exit}`, at: step.finishedAt }
}

function outputOf(step: StepStatus | undefined): string[] {
  const output = step?.output.trimEnd() ?? ''
  return output === '' ? [] : output.split('\n')
}
