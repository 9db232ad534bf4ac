import type { Explanation, WebApp } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

export interface WebAppSight {
  webApp: WebApp
  environment: { name: string; phase: string }
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a web app is in the phase it is in. Pure. */
export function explain({ webApp, environment }: WebAppSight): Reasons {
  const { status, metadata } = webApp
  const until = status.deadline === null ? null : spokenTime(status.deadline)
  const evidence = [
    { what: `environment ${environment.name} is ${environment.phase}`, at: null },
    ...(status.failure?.lastLines ?? []).slice(-5).map((line) => ({ what: line, at: null })),
  ]
  switch (status.phase) {
    case 'provisioning':
      return {
        sentence: `its machine is being set up for it${status.waitsFor === null ? '' : `: that waits for ${status.waitsFor}`}`,
        evidence,
        next: until === null ? null : `it fails unless that is done by ${until}`,
      }
    case 'ready':
      return { sentence: 'its machine is set up for it', evidence, next: 'deploy to one of its spaces' }
    case 'failed':
      return {
        sentence: `it was not set up: ${status.failure?.message ?? 'no cause is known'}`,
        evidence,
        next: `retry it with POST /v1/web-apps/${metadata.name}/retry`,
      }
    case 'deleting':
      return {
        sentence: 'what runs for it ends, then its files and databases are removed',
        evidence,
        next: until === null ? null : `it is gone by ${until} whatever its machine says`,
      }
    default:
      return assertNever(status.phase)
  }
}
