import { dirname } from 'node:path'
import { quote } from '../../secure-shell/quote.ts'
import type { Origin } from '../guest.ts'
import { type GuestPaths, guard, guestPaths } from './step-script.ts'

/** A file of the guest; its content is the input of the script. */
export interface PrivateFile {
  path: string
  bytes: number
  /** The step that removes it when it ends; null for a file that stays. */
  stepKey: string | null
}

/**
 * The bash program that replaces a whole file, with mode 0600. A step that has begun has been given its files, and may
 * have removed them already: then nothing is written.
 */
export function privateFileScript(
  { path, bytes, stepKey }: PrivateFile,
  origin: Origin,
  paths: GuestPaths = guestPaths,
): string {
  const file = quote(path)
  const draft = quote(`${path}.new`)
  const folder = quote(dirname(path))
  const begun =
    stepKey === null
      ? []
      : [
          `[ -e ${quote(`${paths.state}/${stepKey}/run`)} ] || [ -e ${quote(`${paths.ledger}/${stepKey}/outcome`)} ] && exit 0`,
        ]
  return [
    'umask 077',
    ...guard(origin, paths),
    ...begun,
    `IFS= LC_ALL=C read -r -d '' -N ${bytes} content`,
    // The length is checked because a cut connection also ends the input.
    `LC_ALL=C; [ \${#content} = ${bytes} ] || exit`,
    `[ -d ${folder} ] || mkdir -p -- ${folder}`,
    `printf %s "$content" >${draft} && mv -- ${draft} ${file}`,
  ].join('\n')
}
