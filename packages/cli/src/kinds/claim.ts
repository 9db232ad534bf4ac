import type { Claim } from '@hearth/contract'
import { describePlain } from '../output/describe.ts'
import { formatAge } from '../output/duration.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { goneIsNull } from './environment.ts'
import { defineKind } from './kind.ts'
import { byIdOrName } from './resolve.ts'

export const claimKind = defineKind<Claim>({
  names: ['claim', 'claims'],
  summary: 'machines taken from a pool by someone',
  eventKind: 'Claim',
  columns: ['ID', 'PHASE', 'SOURCE', 'ENVIRONMENT', 'AGE'],
  row: ({ metadata, status }, { terminal, now }) => [
    metadata.id,
    terminal.tone(phaseTone(status.phase), status.phase),
    status.source,
    status.environmentId ?? '-',
    formatAge(metadata.createdAt, now),
  ],
  fetchAll: ({ client, signal }) => client.claims.listAll({}, { signal }),
  fetchOne: ({ client, signal }, reference) => byIdOrName('claim', client.claims, reference, signal),
  describe: (claim, { terminal, now }) => describePlain(claim, terminal, now),
  async remove({ client, signal }, reference, { force }) {
    const { metadata, status } = await byIdOrName('claim', client.claims, reference, signal)
    await client.claims.release(metadata.id, { force, signal })
    return {
      id: metadata.id,
      name: metadata.name,
      gone: async (waiting) => {
        if (status.environmentId === null) return true
        const machine = await client.environments
          .get(status.environmentId, { signal: waiting })
          .catch(goneIsNull)
        return machine === null || machine.status.phase === 'deleted'
      },
    }
  },
})
