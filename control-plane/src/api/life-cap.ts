import { type LifeCap, type LifeSpec, lifeFaults } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'

/** Throws `invalid` with each span that is over the organization's cap. */
export function refuseLongLife(spec: LifeSpec | null | undefined, cap: LifeCap, path: string): void {
  const details = lifeFaults(spec, cap).map((fault) => ({ ...fault, field: `${path}.${fault.field}` }))
  if (details.length === 0) return
  const what = details.map(({ field, given, expected }) => `${field} must be ${expected}, got ${given}`)
  throw new HearthError('invalid', what.join('; '), { details })
}
