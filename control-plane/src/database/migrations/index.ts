import type { Migration } from 'kysely'
import { access } from './0001-access.ts'
import { environments } from './0002-environments.ts'
import { delivery } from './0003-delivery.ts'

/** In the order of their names. A migration that has been released never changes. */
export const migrations: Record<string, Migration> = {
  '0001-access': access,
  '0002-environments': environments,
  '0003-delivery': delivery,
}
