import { expect, test } from 'vitest'
import { warningsOf } from './warnings.ts'

test('a secret that is too short to be searched for is named, never its value', () => {
  expect(warningsOf({ secrets: { PIN: '1234', PASSWORD: 'long enough' }, startedFrom: null })).toEqual([
    'the secret PIN has fewer than 8 bytes, which stand in every disk by chance: it was not searched for',
  ])
})

test('one that was to stand on another and began from the image says so', () => {
  const of = (from: 'image' | 'disk', reason: string | null) =>
    warningsOf({ secrets: {}, startedFrom: { from, reason } })
  expect(of('disk', null)).toEqual([])
  expect(of('image', null)).toEqual([])
  expect(of('image', 'no runner with room holds prebuild shop-1')).toEqual([
    'it was built from the image, and not on the last good prebuild: no runner with room holds prebuild shop-1',
  ])
})
