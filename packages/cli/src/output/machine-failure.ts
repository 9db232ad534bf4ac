import type { Environment, Failure } from '@hearth/contract'

/** A failure without lines of its own gets the end of what the machine's failed step printed. */
export function withLastLines(failure: Failure, machine: Environment | null): Failure {
  if (failure.lastLines !== undefined) return failure
  const output = machine?.status.steps.find(({ phase }) => phase === 'failed')?.output.trimEnd()
  return output === undefined || output === ''
    ? failure
    : { ...failure, lastLines: output.split('\n').slice(-20) }
}
