/**
 * A message of a kind of work that this version does not know: it is left alone; synchronisation sends its content
 * again later.
 */
export class UnknownWork extends Error {
  override readonly name = 'UnknownWork'

  constructor(readonly kind: string) {
    super(`work of the kind "${kind}" is not known to this version, which leaves it alone`)
  }
}
