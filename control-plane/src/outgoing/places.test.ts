import { expect, test } from 'vitest'
import { Places } from './places.ts'

const never = new AbortController().signal

/** Work that ends when the test says so. */
function held(): { work: () => Promise<string>; end: () => void } {
  let end: () => void = () => undefined
  const over = new Promise<string>((resolve) => {
    end = () => resolve('done')
  })
  return { work: () => over, end: () => end() }
}

test('no more run at once than there are places, and those that wait are served in order', async () => {
  const places = new Places({ most: 2, mostWaiting: 10 })
  const works = [held(), held(), held(), held()]
  const begun: number[] = []
  const all = works.map(({ work }, index) =>
    places.with(never, () => {
      begun.push(index)
      return work()
    }),
  )
  await Promise.resolve()
  expect(begun).toEqual([0, 1])
  works[1]?.end()
  await all[1]
  await new Promise(setImmediate)
  expect(begun).toEqual([0, 1, 2])
  for (const { end } of works) end()
  expect(await Promise.all(all)).toEqual(['done', 'done', 'done', 'done'])
})

test('a caller that comes when too many wait, or gives up while waiting, is not served and takes no place', async () => {
  const places = new Places({ most: 1, mostWaiting: 1 })
  const first = held()
  const serving = places.with(never, first.work)
  const impatient = new AbortController()
  const waiting = places.with(impatient.signal, async () => 'served')
  expect(await places.with(never, async () => 'served')).toBeNull()
  impatient.abort()
  expect(await waiting).toBeNull()
  const next = places.with(never, async () => 'served')
  first.end()
  expect(await serving).toBe('done')
  expect(await next).toBe('served')
})
