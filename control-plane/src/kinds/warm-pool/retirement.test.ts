import { expect, test } from 'vitest'
import { retirementReason } from './retirement.ts'

const now = new Date('2026-01-01T12:00:00Z')
const longAgo = new Date('2026-01-01T11:00:00Z')
const pool = { enabled: true, cleared: false, deleting: false, maxAgeMinutes: null, now }
const member = { phase: 'running' as const, current: true, abandoned: false, createdAt: now, readyAt: now }

test.each([
  ['a pool that goes', { deleting: true, enabled: false }, {}, 'active', 'pool_deleted'],
  ['a pool that is off', { enabled: false }, {}, 'active', 'pool_disabled'],
  ['a pool that was emptied', { cleared: true }, {}, 'active', 'pool_cleared'],
  ['a failed member, wherever it is', {}, { phase: 'failed', abandoned: true }, 'offline', 'failed'],
  ['one on a silent runner', {}, { abandoned: true, current: false }, 'offline', 'runner_lost'],
  ['one on a draining runner', {}, { abandoned: true }, 'draining', 'runner_drained'],
  ['one on a removed runner', {}, { abandoned: true }, 'deleted', 'runner_removed'],
  ['one that somebody stopped', {}, { phase: 'stopped' }, 'active', 'not_running'],
  ['one made before a change', {}, { current: false }, 'active', 'older_configuration'],
  ['one that is too old', { maxAgeMinutes: 5 }, { readyAt: longAgo }, 'active', 'too_old'],
  ['one too many', {}, {}, 'active', 'pool_surplus'],
] as const)('%s is let go for that', (_, poolChange, memberChange, runner, reason) => {
  expect(retirementReason({ ...pool, ...poolChange }, { ...member, ...memberChange }, runner)).toBe(reason)
})
