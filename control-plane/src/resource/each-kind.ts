import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Kind } from './define.ts'

/** Does for every kind in turn what is due; one that fails is logged, and keeps no other from it. */
export async function eachKind(
  kinds: readonly Kind[],
  due: (kind: Kind) => Promise<void> | undefined,
  log: Logger,
): Promise<void> {
  for (const kind of kinds) {
    try {
      await due(kind)
    } catch (error) {
      log.warn({ err: toError(error), kind: kind.name }, 'could not do what is due from time to time')
    }
  }
}
