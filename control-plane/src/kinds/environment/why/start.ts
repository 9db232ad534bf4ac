import type { Evidence } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { EnvironmentSight } from './sight.ts'

/** From what the machine started, and why not from what would have been quicker; nothing where that goes without saying. */
export function startEvidence({
  environment,
  start,
}: Pick<EnvironmentSight, 'environment' | 'start'>): Evidence[] {
  const { startedFrom } = environment.status
  const reason = startedFrom?.reason ?? start.reason
  const because = reason === null ? '' : `: ${reason}`
  if (startedFrom === null)
    return reason === null ? [] : [{ what: `it does not start as quickly as it could${because}`, at: null }]
  const of = start.prebuild === null ? 'a snapshot' : `prebuild ${start.prebuild}`
  switch (startedFrom.from) {
    case 'memory':
    case 'disk':
      return [{ what: `it started from the ${startedFrom.from} of ${of}${because}`, at: null }]
    case 'image':
      return reason === null ? [] : [{ what: `it started from its image${because}`, at: null }]
    default:
      return assertNever(startedFrom.from)
  }
}
