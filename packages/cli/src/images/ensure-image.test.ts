import { expect, test } from 'vitest'
import { decideImage } from './ensure-image.ts'

test.each([
  [{ held: null, wanted: 'a', machines: 0 }, 'build'],
  [{ held: null, wanted: 'a', machines: 2 }, 'build'],
  [{ held: 'a', wanted: 'a', machines: 2 }, 'keep'],
  [{ held: 'a', wanted: 'b', machines: 0 }, 'build'],
  [{ held: 'a', wanted: 'b', machines: 2 }, 'keep because machines use it'],
] as const)('%o: %s', (image, decision) => {
  expect(decideImage(image)).toBe(decision)
})
