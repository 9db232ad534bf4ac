import { expect, test } from 'vitest'
import { decide, type Member, type SeenPool } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const longAgo = new Date('2026-01-01T11:00:00Z')
const member: Member = {
  id: 'a-member',
  phase: 'running',
  desiredPhase: 'running',
  notRested: false,
  current: true,
  abandoned: null,
  paused: false,
  onTrial: false,
  createdAt: now,
  readyAt: now,
  failedAt: null,
}
/** Two newer ones stand by, so that whatever is due to be replaced goes. */
const others = ['b-newer', 'c-newer'].map((id) => ({ ...member, id }))
const pool: SeenPool = {
  enabled: true,
  cleared: false,
  deleting: false,
  size: 2,
  running: null,
  rest: 'suspended',
  restsLater: false,
  maxAgeMinutes: null,
  members: [],
  trialDue: false,
  recentBoots: [],
  bootRetryMilliseconds: 10_000,
  now,
}

test.each<[string, Partial<SeenPool>, Partial<Member>, string]>([
  ['a pool that goes', { deleting: true, enabled: false }, {}, 'pool_deleted'],
  ['a pool that is off', { enabled: false }, {}, 'pool_disabled'],
  ['a pool that was emptied', { cleared: true }, {}, 'pool_cleared'],
  [
    'a failed member, wherever it is',
    {},
    { phase: 'failed', failedAt: longAgo, abandoned: 'runner_lost' },
    'failed',
  ],
  ['one on a silent runner', {}, { abandoned: 'runner_lost', current: false }, 'runner_lost'],
  ['one on a draining runner', {}, { abandoned: 'runner_drained' }, 'runner_drained'],
  ['one on a removed runner', {}, { abandoned: 'runner_removed' }, 'runner_removed'],
  ['one that somebody stopped', {}, { phase: 'stopped' }, 'not_running'],
  ['one made before a change', {}, { current: false }, 'older_configuration'],
  ['one that is too old', { maxAgeMinutes: 5 }, { readyAt: longAgo }, 'too_old'],
  ['one too many', {}, { createdAt: longAgo }, 'pool_surplus'],
])('%s is let go for that', (_, poolChange, memberChange, reason) => {
  const members = [{ ...member, ...memberChange }, ...others]
  const { actions } = decide({ ...pool, ...poolChange, members })
  expect(actions).toContainEqual({ do: 'retire', id: member.id, reason })
})
