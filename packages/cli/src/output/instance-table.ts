import { stepKey, type WarmPoolInstance } from '@hearth/contract'
import type { Names } from '../kinds/kind.ts'
import { named } from '../kinds/names.ts'
import { formatAge } from './duration.ts'
import { phaseTone } from './phase-tone.ts'
import type { Table } from './table.ts'
import type { Terminal } from './terminal.ts'

/** The members of a pool, one row each. `MADE FROM` says whether the pool would create the same today. */
export function instanceTable(
  instances: readonly WarmPoolInstance[],
  claimNames: Names,
  terminal: Terminal,
  now: Date,
): Table {
  return {
    columns: ['NAME', 'STATE', 'FOR', 'MADE FROM', 'STEP', 'CLAIM', 'AGE', 'ID'],
    rows: instances.map(({ state, purpose, current, environment: { metadata, status } }) => {
      const step = status.steps.find(({ phase }) => phase === 'running' || phase === 'failed')
      return [
        metadata.name,
        terminal.tone(phaseTone(state), state),
        purpose,
        current ? 'present' : 'older',
        step === undefined ? '-' : stepKey(step),
        named(claimNames, status.claimId),
        formatAge(metadata.createdAt, now),
        metadata.id,
      ]
    }),
  }
}
