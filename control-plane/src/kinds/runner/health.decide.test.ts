import type { RunnerHealth } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Boot, decide, type SeenHealth } from './health.decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000)

function boot(ready: boolean, secondsAgo: number, configuration = 'shop'): Boot {
  const message = ready ? '' : 'the host refused the machine'
  return {
    environmentId: `${configuration}-${secondsAgo}`,
    configuration,
    ready,
    at: before(secondsAgo),
    message,
  }
}
const failed = (secondsAgo: number, configuration?: string) => boot(false, secondsAgo, configuration)
const came = (secondsAgo: number, configuration?: string) => boot(true, secondsAgo, configuration)

function judge(boots: Boot[], change: Partial<SeenHealth> = {}): RunnerHealth | null {
  return decide({
    health: null,
    boots,
    elsewhere: new Map(),
    probePauseMilliseconds: 60_000,
    now,
    ...change,
  })
}

test('a host without failures has no evidence against it', () => {
  expect(judge([])).toBeNull()
  expect(judge([came(1), came(2)])).toBeNull()
})

test('after one failure others are preferred for a while, after three it is degraded, with the evidence', () => {
  expect(judge([failed(10)])).toMatchObject({
    degradedSince: null,
    failures: 1,
    avoidedUntil: before(-50).toISOString(),
  })
  expect(judge([failed(10), failed(20), failed(30), came(40)])).toMatchObject({
    degradedSince: now.toISOString(),
    probeAt: before(-60).toISOString(),
    failures: 3,
    boots: 4,
    lastFailure: { message: 'the host refused the machine', environmentId: 'shop-10' },
  })
})

test('few failures among many boots, and old ones, do not degrade it', () => {
  const many = [failed(10), came(11), failed(12), came(13), came(14), failed(15), came(16), came(17)]
  expect(judge(many)?.degradedSince).toBeNull()
  expect(judge([failed(4000), failed(4001), failed(4002)])).toBeNull()
  expect(judge([came(5), failed(10), failed(20), failed(30)])?.degradedSince).toBeNull()
})

test('a configuration that fails on other hosts too and never came up does not count against a host', () => {
  const boots = [failed(10), failed(20), failed(30)]
  expect(judge(boots, { elsewhere: new Map([['shop', { ready: 0, failed: 2 }]]) })).toBeNull()
  expect(
    judge(boots, { elsewhere: new Map([['shop', { ready: 1, failed: 2 }]]) })?.degradedSince,
  ).not.toBeNull()
  // The configuration came up here before, so it is the host that has changed.
  const changed = judge([...boots, came(40)], { elsewhere: new Map([['shop', { ready: 0, failed: 2 }]]) })
  expect(changed?.degradedSince).not.toBeNull()
})

const degraded: RunnerHealth = {
  boots: 3,
  failures: 3,
  lastFailure: null,
  avoidedUntil: null,
  degradedSince: before(100).toISOString(),
  probes: 0,
  probeAt: before(40).toISOString(),
  restoredAt: null,
}

test('a failed probe makes the pause before the next twice as long, up to half an hour', () => {
  const once = judge([failed(10), failed(110)], { health: degraded })
  expect(once).toMatchObject({ probes: 1, probeAt: before(10 - 120).toISOString() })
  const often = judge([failed(10)], { health: { ...degraded, probes: 20 } })
  expect(often?.probeAt).toBe(before(10 - 1800).toISOString())
})

test('a boot that began before the host was degraded is not a probe', () => {
  expect(judge([failed(90)], { health: degraded })).toEqual(degraded)
})

test('one successful boot restores the host, and earlier failures are forgotten', () => {
  const restored = judge([came(5), failed(110), failed(120), failed(130)], { health: degraded })
  expect(restored).toMatchObject({ degradedSince: null, failures: 0, restoredAt: before(5).toISOString() })
  const boots = [failed(1), came(5), failed(110), failed(120), failed(130)]
  expect(judge(boots, { health: restored })).toMatchObject({ degradedSince: null, failures: 1 })
})

test('a restored host is clean again after an hour', () => {
  const health = { ...degraded, degradedSince: null, probeAt: null, restoredAt: before(3700).toISOString() }
  expect(judge([came(3700)], { health })).toBeNull()
})

const anyBoot = fc
  .record({
    ready: fc.boolean(),
    ago: fc.integer({ min: 0, max: 7200 }),
    configuration: fc.constantFrom('a', 'b'),
  })
  .map(({ ready, ago, configuration }) => boot(ready, ago, configuration))

test('without new boots the judgement stays the same', () => {
  fc.assert(
    fc.property(fc.array(anyBoot, { maxLength: 20 }), (unsorted) => {
      const boots = unsorted.toSorted((a, b) => b.at.getTime() - a.at.getTime())
      const first = judge(boots)
      expect(judge(boots, { health: first })).toEqual(first)
    }),
  )
})

test('no host is degraded without three failures of its own', () => {
  fc.assert(
    fc.property(fc.array(anyBoot, { maxLength: 20 }), (boots) => {
      const judged = judge(boots)
      if (judged?.degradedSince != null)
        expect(boots.filter(({ ready }) => !ready).length).toBeGreaterThanOrEqual(3)
    }),
  )
})
