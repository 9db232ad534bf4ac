import type { Explanation, Space } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

export interface SpaceSight {
  space: Space
  webApp: string
  environment: { name: string; phase: string }
  /** The route that leads to it; null where it was taken away. */
  route: { name: string; phase: string; waitsFor: string | null; failure: string | null } | null
  current: { name: string; displayName: string } | null
  refusedCronJobs: Readonly<Record<string, string>>
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a space is in the phase it is in, and why it has no address. Pure. */
export function explain(sight: SpaceSight): Reasons {
  const { space, webApp, environment, current } = sight
  const { status } = space
  const evidence = [
    { what: `environment ${environment.name} is ${environment.phase}`, at: null },
    { what: addressInWords(sight), at: null },
    ...Object.entries(sight.refusedCronJobs).map(([name, why]) => ({
      what: `cron job ${name} is not run: ${why}`,
      at: null,
    })),
  ]
  const say = (sentence: string, next: string | null = null): Reasons => ({ sentence, evidence, next })
  switch (status.phase) {
    case 'provisioning':
      return say(`web app ${webApp} is being set up`, 'then something can be deployed to it')
    case 'starting':
      return say(`it waits for ${status.waitsFor ?? 'its processes to be ready'}`)
    case 'running':
      return current === null
        ? say('nothing is deployed to it yet', 'deploy to it')
        : say(`it has the release of deployment ${current.name}`)
    case 'stopping':
      return say(`it is to be stopped, and waits for ${status.waitsFor ?? 'its processes to end'}`)
    case 'stopped':
      return say('it was stopped', 'start it, or deploy to it')
    case 'failed':
      return say(
        status.failure?.message ?? 'it failed',
        current === null
          ? `retry web app ${webApp}`
          : 'restart the service, go back to another release, or deploy',
      )
    case 'deleting':
      return say(`web app ${webApp} is being deleted`)
    default:
      return assertNever(status.phase)
  }
}

function addressInWords({ space, route }: SpaceSight): string {
  if (route === null) return 'it has no address: the route that led to it was deleted'
  if (route.failure !== null) return `route ${route.name} has failed: ${route.failure}`
  if (route.phase === 'active') return `${space.status.url} leads to it`
  return `it has no address yet: route ${route.name} waits for ${route.waitsFor ?? 'its runner to serve it'}`
}
