import type { Deployment, Explanation } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

export interface DeploymentSight {
  deployment: Deployment
  space: string
  environment: { name: string; phase: string }
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a deployment is in the phase it is in. Pure. */
export function explain({ deployment, space, environment }: DeploymentSight): Reasons {
  const { status, metadata } = deployment
  const until = status.deadline === null ? null : spokenTime(status.deadline)
  const limit = until === null ? null : `it fails unless that is done by ${until}; the release before goes on`
  const evidence = [
    { what: `environment ${environment.name} is ${environment.phase}`, at: null },
    ...(status.step === null ? [] : [{ what: `its last step is ${status.step}`, at: null }]),
    ...(status.failure?.lastLines ?? []).slice(-5).map((line) => ({ what: line, at: null })),
  ]
  const say = (sentence: string, next: string | null = limit): Reasons => ({ sentence, evidence, next })
  switch (status.phase) {
    case 'pending':
      return say(`it waits for ${status.waitsFor ?? 'its turn'}`)
    case 'preparing':
      return say('its archive is unpacked, and what it depends on is installed')
    case 'releasing':
      return say('its release commands are run, each once')
    case 'starting':
      return say('its processes are started beside those of the release before')
    case 'switching':
      return say(`all its processes are ready, and requests of space ${space} are led to them`)
    case 'reverting':
      return say(
        `it failed, and what it made goes: ${status.failure?.message ?? 'no cause is known'}`,
        'the release before goes on',
      )
    case 'succeeded':
      return status.isCurrent
        ? say(`its release gets the requests of space ${space}`, null)
        : say(
            `its release got the requests of space ${space}, until another one took its place`,
            `go back to it with POST /v1/spaces/${space}/rollback`,
          )
    case 'failed':
      return say(status.failure?.message ?? 'it failed', 'deploy again when that is mended')
    case 'cancelled':
      return say(status.failure?.message ?? `${metadata.name} was cancelled`, null)
    default:
      return assertNever(status.phase)
  }
}
