import { HearthError } from '@hearth/foundation'

/** Handles the rejection of a read: null for `not_found`, otherwise throws the error again. */
export function goneIsNull(error: unknown): null {
  if (error instanceof HearthError && error.code === 'not_found') return null
  throw error
}
