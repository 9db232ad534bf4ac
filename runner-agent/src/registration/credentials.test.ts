import type { NatsCredentials } from '@hearth/contract'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Credentials } from './credentials.ts'
import { RegistrationRefused } from './register.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const lasting = (expiresInSeconds: number | null): NatsCredentials => ({
  credentials: 'first',
  // As when the control plane's clock is an hour slow, or the host's an hour fast.
  expiresAt: '2000-01-01T00:00:00.000Z',
  expiresInSeconds,
})

function start(given: NatsCredentials, renew: () => Promise<NatsCredentials>) {
  const stop = new AbortController()
  const refusals: string[] = []
  let renewals = 0
  const credentials = new Credentials({
    given,
    renew: () => {
      renewals += 1
      return renew()
    },
    refused: (reason) => refusals.push(reason),
    now: () => performance.now(),
    log: pino({ enabled: false }),
  })
  const ended = credentials.run(stop.signal)
  return { credentials, refusals, ended, stop: () => stop.abort(), renewals: () => renewals }
}

test('credentials are renewed after half of their time, whatever the clocks say', async () => {
  const given = start(lasting(3_600), async () => ({ ...lasting(3_600), credentials: 'second' }))
  await vi.advanceTimersByTimeAsync(1_799_000)
  expect([given.renewals(), given.credentials.current()]).toEqual([0, 'first'])
  await vi.advanceTimersByTimeAsync(2_000)
  expect([given.renewals(), given.credentials.current()]).toEqual([1, 'second'])
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(given.renewals()).toBe(3)
  given.stop()
  await given.ended
})

test('credentials that NATS refuses are renewed soon, but at most once in five seconds', async () => {
  for (const life of [3_600, null]) {
    const given = start(lasting(life), async () => lasting(life))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(given.renewals()).toBe(0)
    for (let tenth = 0; tenth < 100; tenth += 1) {
      given.credentials.doubt()
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(given.renewals()).toBeGreaterThanOrEqual(2)
    expect(given.renewals()).toBeLessThanOrEqual(3)
    given.stop()
    await given.ended
  }
})

test('after its runner was deleted an agent stops renewing; other refusals are retried', async () => {
  const deleted = start(lasting(60), () => Promise.reject(new RegistrationRefused('401', true)))
  await vi.advanceTimersByTimeAsync(31_000)
  await deleted.ended
  expect([deleted.renewals(), deleted.refusals]).toEqual([1, ['401']])
  vi.useRealTimers()
  let failures = 0
  const proxied = start({ ...lasting(1), credentials: 'first' }, async () => {
    failures += 1
    if (failures < 3) throw new RegistrationRefused('404 of something between', false)
    return { ...lasting(3_600), credentials: 'second' }
  })
  await vi.waitFor(() => expect(proxied.credentials.current()).toBe('second'), 5_000)
  expect(proxied.refusals).toEqual([])
  proxied.stop()
  await proxied.ended
})

test('if NATS requires no credentials, nothing is renewed', async () => {
  const open = start({ credentials: null, expiresAt: null }, () => Promise.reject(new Error('not asked for')))
  await open.ended
  expect(open.renewals()).toBe(0)
})
