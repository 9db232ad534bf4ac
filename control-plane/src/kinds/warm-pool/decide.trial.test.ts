import { expect, test } from 'vitest'
import { now, sampleMember, samplePool } from './decide.fixture.ts'
import { decide, type Member, type SeenPool } from './decide.ts'

const before = (seconds: number) => new Date(now.getTime() - seconds * 1_000)
const ready = sampleMember('a-ready', { createdAt: before(60), readyAt: before(50) })
const trial: Member = {
  ...ready,
  id: 'b-trial',
  phase: 'provisioning',
  onTrial: true,
  createdAt: before(5),
  readyAt: null,
}
const failedBoot = { failed: true, at: before(600), failure: null }

const actionsOf = (change: Partial<SeenPool>) =>
  decide(samplePool({ size: 1, members: [ready], trialDue: true, ...change })).actions

test('a full pool spares a machine to try a degraded runner with', () => {
  expect(actionsOf({})).toEqual([{ do: 'try runner' }])
  expect(actionsOf({ trialDue: false })).toEqual([])
})

test('the machine on trial stays until its end, and takes the place of an older one when it comes up', () => {
  expect(actionsOf({ trialDue: false, members: [ready, trial] })).toEqual([])
  const cameUp: Member = { ...trial, phase: 'running', readyAt: now }
  expect(actionsOf({ trialDue: false, members: [ready, cameUp] })).toEqual([
    { do: 'retire', id: 'a-ready', reason: 'pool_surplus' },
  ])
})

test.each<[string, Partial<SeenPool>]>([
  ['of size 0', { size: 0, members: [] }],
  ['disabled', { enabled: false, members: [] }],
  ['that lacks a machine', { size: 2, members: [ready] }],
  ['whose machine is being made', { size: 2, members: [ready, { ...trial, onTrial: false }] }],
  ['that is one failed boot from being given up', { recentBoots: [failedBoot, failedBoot] }],
  ['that waits after a failed boot', { recentBoots: [{ ...failedBoot, at: before(1) }] }],
])('a pool %s tries no runner', (_, change) => {
  expect(actionsOf(change)).not.toContainEqual({ do: 'try runner' })
})

test('a pool that is not wanted any more lets the machine on trial go, too', () => {
  expect(actionsOf({ size: 0, members: [trial] })).toEqual([
    { do: 'retire', id: 'b-trial', reason: 'pool_surplus' },
  ])
})
