import { HearthError } from '@hearth/foundation'
import { claimKind } from './claim.ts'
import { environmentKind } from './environment.ts'
import { environmentClassKind } from './environment-class.ts'
import { jobKind } from './job.ts'
import type { Kind } from './kind.ts'
import { organizationKind } from './organization.ts'
import { projectKind } from './project.ts'
import { runnerKind } from './runner.ts'
import { warmPoolKind } from './warm-pool.ts'

export const kinds: readonly Kind[] = [
  projectKind,
  warmPoolKind,
  environmentKind,
  claimKind,
  runnerKind,
  environmentClassKind,
  jobKind,
  organizationKind,
]

/** The kind a person means: singular, plural or short, in any case. */
export function kindNamed(name: string): Kind {
  const wanted = name.toLowerCase().replaceAll('_', '-')
  const kind = kinds.find(({ names }) => names.some((known) => same(known, wanted)))
  if (kind !== undefined) return kind
  throw new HearthError('invalid', `there is no kind ${name}`, {
    details: [{ field: 'KIND', given: name, expected: kinds.map(({ names }) => names[0]).join(', ') }],
  })
}

/** `EnvironmentClass` and `environmentclass` are `environment-class`. */
function same(known: string, wanted: string): boolean {
  return known === wanted || known.replaceAll('-', '') === wanted
}
