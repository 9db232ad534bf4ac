import { bindingPhases, claimBindingSchema } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bindingDeadline, followBinding, type SeenBinding } from './follow.ts'
import { pendingBinding } from './stored.ts'

const wanted = claimBindingSchema.parse({ hostname: 'review', repositories: [{ name: 'shop', ref: 'next' }] })
const begin = new Date('2026-11-29T20:00:00.000Z')
const after = (seconds: number) => new Date(begin.getTime() + seconds * 1000)
const seen = (change: Partial<SeenBinding> = {}): SeenBinding => ({
  claimId: 'claim',
  wanted,
  stored: pendingBinding(wanted, 1, null),
  reported: null,
  isRunning: true,
  runner: 'one',
  now: begin,
  ...change,
})
const report = (phase: 'running' | 'bound' | 'failed', change: object = {}) => ({
  ...{ claimId: 'claim', attempt: 1, phase, steps: [] },
  boundAt: phase === 'bound' ? '2026-11-29T20:00:02.000Z' : null,
  failure: phase === 'failed' ? { code: 'clone_failed' as const, message: 'no such branch' } : null,
  ...change,
})

test('a runner that does not begin fails the binding with what may be the cause, and only while the machine runs', () => {
  const stored = followBinding(seen())
  expect(stored).toMatchObject({ phase: 'pending', since: begin.toISOString() })
  const late = { stored, now: after(121) }
  expect(followBinding(seen(late))).toMatchObject({
    phase: 'failed',
    failure: { code: 'deadline_passed', message: expect.stringContaining('runner one did not begin') },
  })
  const resting = followBinding(seen({ ...late, isRunning: false }))
  expect(resting).toMatchObject({ phase: 'pending', since: null })
  expect(followBinding(seen({ stored: resting, now: after(500) }))).toMatchObject({ phase: 'pending' })
})

test('one that began has the time of all its steps', () => {
  const stored = followBinding(seen({ reported: report('running') }))
  const deadline = bindingDeadline(wanted, stored) as Date
  expect(deadline.getTime()).toBeGreaterThan(after(960).getTime())
  const reported = report('running')
  expect(followBinding(seen({ stored, reported, now: after(900) })).phase).toBe('running')
  expect(followBinding(seen({ stored, reported, now: deadline })).phase).toBe('failed')
})

test('what is told of another claim or another try changes nothing', () => {
  for (const change of [{ claimId: 'other' }, { attempt: 2 }])
    expect(followBinding(seen({ reported: report('bound', change) })).phase).toBe('pending')
})

test('a settled binding has no deadline, and a failed one stays so until it is retried', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...bindingPhases),
      fc.option(fc.constantFrom(report('running'), report('bound'), report('failed'))),
      fc.boolean(),
      fc.nat(5_000),
      (phase, reported, isRunning, seconds) => {
        const stored = { ...pendingBinding(wanted, 1, begin.toISOString()), phase }
        const next = followBinding(seen({ stored, reported, isRunning, now: after(seconds) }))
        if (phase === 'failed') expect(next.phase).toBe('failed')
        const isOpen = next.phase === 'pending' || next.phase === 'running'
        expect(bindingDeadline(wanted, next) !== null).toBe(isOpen && isRunning)
        if (next.phase === 'failed' && phase !== 'failed') expect(next.failure?.message).toBeTruthy()
      },
    ),
    { numRuns: 500 },
  )
})
