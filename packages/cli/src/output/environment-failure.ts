import type { Environment, Failure } from '@hearth/contract'

/** Adds the last output of the environment's failed step to a failure that has no lines of its own. */
export function withLastLines(failure: Failure, environment: Environment | null): Failure {
  if (failure.lastLines !== undefined) return failure
  const output = environment?.status.steps.find(({ phase }) => phase === 'failed')?.output.trimEnd()
  return output === undefined || output === ''
    ? failure
    : { ...failure, lastLines: output.split('\n').slice(-20) }
}
