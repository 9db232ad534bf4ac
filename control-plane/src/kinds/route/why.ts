import type { Explanation, Route } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

export interface RouteSight {
  route: Route
  environment: { name: string; phase: string }
  runner: string | null
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a route is in the phase it is in. Pure. */
export function explain({ route, environment, runner }: RouteSight): Reasons {
  const { spec, status, metadata } = route
  const target = `port ${spec.port} of environment ${environment.name}`
  const evidence = [
    { what: `environment ${environment.name} is ${environment.phase}`, at: null },
    ...(status.wake === null
      ? []
      : [
          {
            what: `a request asked for the machine while it was off${status.wake.fault === null ? '' : `, and it was not started: ${status.wake.fault}`}`,
            at: status.wake.at,
          },
        ]),
  ]
  const until = status.deadline === null ? null : spokenTime(status.deadline)
  switch (status.phase) {
    case 'pending':
      return {
        sentence: `it waits for ${status.waitsFor ?? 'its runner'}`,
        evidence,
        next:
          until === null
            ? 'then it opens by itself'
            : `it fails unless that is so by ${until}, and opens when it is so later`,
      }
    case 'opening':
      return {
        sentence: `runner ${runner} is to serve ${status.host}, which leads to ${target}`,
        evidence,
        next: until === null ? null : `it fails unless that is done by ${until}`,
      }
    case 'active':
      return {
        sentence: `${status.url} leads to ${target}, for ${whom(route)}${ofDomain(route)}`,
        evidence,
        next: spec.access === 'private' ? `open it with \`hearth open ${metadata.name}\`` : null,
      }
    case 'failed':
      return {
        sentence: status.failure?.message ?? 'it failed',
        evidence,
        next: `change it to have it tried again, or delete it with \`hearth delete route ${metadata.name}\``,
      }
    case 'deleting':
      return {
        sentence: `it is being deleted; runner ${runner} ends it first`,
        evidence,
        next: until === null ? null : `it is gone by ${until} whatever the runner says`,
      }
    default:
      return assertNever(status.phase)
  }
}

function whom({ spec, status }: Route): string {
  switch (spec.access) {
    case 'private':
      return 'members of the organization'
    case 'token':
      return status.hasToken ? 'whoever has its token' : 'nobody yet, since no token was made for it'
    case 'public':
      return 'everybody'
    default:
      return assertNever(spec.access)
  }
}

/** How its custom domain stands. */
function ofDomain({ spec: { customDomain }, status: { domain } }: Route): string {
  if (customDomain === null || domain === null) return ''
  const because = domain.cause === null ? '' : `: ${domain.cause}`
  switch (domain.state) {
    case 'active':
      return `; so does https://${customDomain}`
    case 'pending':
      return `; ${customDomain} does not yet${because}`
    case 'failed':
      return `; ${customDomain} does not, and is tried again every minute${because}`
    default:
      return assertNever(domain.state)
  }
}
