import { v7, validate } from 'uuid'

/** A new UUIDv7: ids made later sort later. */
export function newId(): string {
  return v7()
}

export function isId(value: string): boolean {
  return validate(value)
}
