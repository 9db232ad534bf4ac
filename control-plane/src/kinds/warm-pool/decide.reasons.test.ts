import { expect, test } from 'vitest'
import { sampleMember, samplePool } from './decide.fixture.ts'
import { decide, type Member, type SeenPool } from './decide.ts'

const longAgo = new Date('2026-01-01T11:00:00Z')
const member = sampleMember('a-member')
/** Two newer ones stand by, so that whatever is due to be replaced goes. */
const others = ['b-newer', 'c-newer'].map((id) => ({ ...member, id }))

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
  const { actions } = decide(samplePool({ ...poolChange, members }))
  expect(actions).toContainEqual({ do: 'retire', id: member.id, reason })
})
