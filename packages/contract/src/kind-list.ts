import { kinds } from './kinds.ts'

type Kinds = typeof kinds
/** The names of the kinds that have a property. */
export type KindWith<Property extends 'hasEvents' | 'isExplained'> = {
  [Name in keyof Kinds]: Kinds[Name][Property] extends true ? Name : never
}[keyof Kinds]

export function kindsWith<Property extends 'hasEvents' | 'isExplained'>(
  property: Property,
): readonly [KindWith<Property>, ...KindWith<Property>[]] {
  const names = Object.values(kinds).flatMap((kind) => (kind[property] ? [kind.kind] : []))
  return names as unknown as readonly [KindWith<Property>, ...KindWith<Property>[]]
}
