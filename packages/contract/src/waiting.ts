import type { Wait } from './kind-definition.ts'
import { kinds } from './kinds.ts'

/** What each phase of each kind waits for; a kind whose phase never changes is not here. */
export const waitingTable: Readonly<Record<string, Readonly<Record<string, Wait>>>> = Object.fromEntries(
  Object.values(kinds)
    .map(({ kind, waits }): [string, Readonly<Record<string, Wait>>] => [kind, waits])
    .filter(([, waits]) => Object.keys(waits).length > 0),
)
