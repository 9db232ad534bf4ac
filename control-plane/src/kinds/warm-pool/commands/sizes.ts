import { type PoolSizes, sizeFaults } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'

/** Throws `invalid` with each field that contradicts another one. */
export function refuseBadSizes(sizes: PoolSizes, within = 'body.spec'): void {
  const faults = sizeFaults(sizes)
  if (faults.length === 0) return
  const details = faults.map(({ field, ...fault }) => ({ field: `${within}.${field}`, ...fault }))
  throw new HearthError('invalid', 'the sizes of the pool contradict each other', { details })
}
