import { kinds as allKinds, type KindDefinition } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Kind } from './kind.ts'
import { isResource, plainKind } from './plain.ts'
import * as shownKinds from './shown.ts'

const shown: readonly Kind[] = Object.values(shownKinds)
const isShown = ({ word }: KindDefinition) => shown.some(({ names }) => names[0] === word)

/** Kinds with a presentation of their own, and all other kinds of resources. */
export const kinds: readonly Kind[] = [
  ...shown,
  ...Object.values(allKinds)
    .filter((kind) => isResource(kind) && !isShown(kind))
    .map(plainKind),
]

/** The kind that a word names: singular, plural or short, in any case. */
export function kindNamed(name: string): Kind {
  const wanted = name.toLowerCase().replaceAll('_', '-')
  const kind = kinds.find(({ names }) => names.some((known) => same(known, wanted)))
  if (kind !== undefined) return kind
  throw new HearthError('invalid', `there is no kind ${name}`, {
    details: [
      { field: 'KIND', given: name, expected: `one of ${kinds.map(({ names }) => names[0]).join(', ')}` },
    ],
  })
}

/** `EnvironmentClass` and `environmentclass` are `environment-class`. */
function same(known: string, wanted: string): boolean {
  return known === wanted || known.replaceAll('-', '') === wanted
}
