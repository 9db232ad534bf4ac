import { domainSeconds } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterLook, domainAtFirst, type KnownDomain, type SeenDomain } from './state.ts'

const served: SeenDomain = { kind: 'served' }
const elsewhere: SeenDomain = { kind: 'elsewhere', cause: 'it leads elsewhere' }
const without: SeenDomain = { kind: 'no-certificate', cause: 'it has no certificate' }
const fresh = domainAtFirst('shop.example.com', 0)
const looked = (seen: SeenDomain[], every = 1_000) =>
  seen.reduce((state, one, index) => afterLook(state, one, (index + 1) * every), fresh)

test('a name that leads elsewhere is pending for ten minutes, and failed then', () => {
  expect(looked([elsewhere])).toMatchObject({ state: 'pending', cause: 'it leads elsewhere' })
  expect(afterLook(looked([elsewhere]), elsewhere, domainSeconds * 1000)).toMatchObject({ state: 'failed' })
})

test('one without a certificate has failed, and stays so until it is served', () => {
  expect(looked([without])).toMatchObject({ state: 'failed', cause: 'it has no certificate' })
  expect(looked([without, elsewhere])).toMatchObject({ state: 'failed', cause: 'it leads elsewhere' })
  expect(looked([without, served])).toMatchObject({ state: 'active', cause: null })
})

test('one that was served and is not any more begins anew', () => {
  const lost = afterLook({ ...looked([served]), since: 0 }, elsewhere, 2 * domainSeconds * 1000)
  expect(lost).toMatchObject({ state: 'pending', since: 2 * domainSeconds * 1000 })
})

test('whatever is seen, it is looked at again within ten minutes, and within one while it is not served', () => {
  const sights = fc.array(fc.constantFrom(served, elsewhere, without), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(sights, (seen) => {
      const now = seen.length * 1_000
      const state: KnownDomain = looked(seen)
      const most = state.state === 'active' ? 600_000 : 60_000
      expect(state.nextAt).toBeGreaterThan(now)
      expect(state.nextAt).toBeLessThanOrEqual(now + most)
      expect(state.cause === null).toBe(state.state === 'active')
    }),
  )
})
