import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lanes } from './lanes.ts'

const settings = { concurrency: 1, mostInBatch: 10, pauseMilliseconds: 0, firstRestMilliseconds: 1 }

async function settle(lanes: Lanes<unknown>): Promise<void> {
  while ([...lanes.held()].length > 0) await lanes.changed()
}

test('whatever fails and in whatever mixture, each key keeps its order and nothing is lost', async () => {
  const items = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c'), failures: fc.integer({ min: 0, max: 2 }) }),
    { maxLength: 12 },
  )
  const sizes = fc.integer({ min: 1, max: 4 })
  await fc.assert(
    fc.asyncProperty(items, sizes, sizes, async (pushed, concurrency, mostInBatch) => {
      const done: number[] = []
      const left = pushed.map(({ failures }) => failures)
      const keysRunning = new Set<string>()
      let running = 0
      const lanes = new Lanes<{ key: string; number: number }>({
        ...settings,
        concurrency,
        mostInBatch,
        handle: async (batch) => {
          running += 1
          expect(running).toBeLessThanOrEqual(concurrency)
          expect(batch.length).toBeLessThanOrEqual(mostInBatch)
          const keys = new Set(batch.map(({ key }) => key))
          for (const key of keys) expect(keysRunning.has(key)).toBe(false)
          for (const key of keys) keysRunning.add(key)
          await Promise.resolve()
          running -= 1
          for (const key of keys) keysRunning.delete(key)
          const failing = batch.find(({ number }) => (left[number] ?? 0) > 0)
          if (failing !== undefined) {
            left[failing.number] = (left[failing.number] ?? 0) - 1
            throw new Error('not yet')
          }
          done.push(...batch.map(({ number }) => number))
        },
        onFailure: () => undefined,
      })
      for (const [number, { key }] of pushed.entries()) lanes.push(key, { key, number })
      await settle(lanes)
      expect(done.length).toBe(pushed.length)
      for (const key of ['a', 'b', 'c']) {
        const numbers = pushed.flatMap((item, number) => (item.key === key ? [number] : []))
        expect(done.filter((number) => numbers.includes(number))).toEqual(numbers)
      }
    }),
    { numRuns: 100 },
  )
})

test('waiting items are handled together; after a failure each alone, without delaying others', async () => {
  const batches: string[][] = []
  let works = false
  const lanes = new Lanes<string>({
    ...settings,
    handle: async (batch) => {
      batches.push([...batch])
      if (batch.includes('poison') && !works) throw new Error('not yet')
    },
    onFailure: () => undefined,
  })
  lanes.push('bad', 'poison')
  lanes.push('bad', 'behind it')
  lanes.push('good', 'fine')
  while ([...lanes.held()].includes('fine')) await lanes.changed()
  expect(batches.slice(0, 3)).toEqual([['poison', 'behind it', 'fine'], ['poison'], ['fine']])
  expect(lanes.pressure()).toBe(0)
  expect([...lanes.held()]).toEqual(['poison', 'behind it'])
  works = true
  await settle(lanes)
  lanes.push('bad', 'later')
  lanes.push('good', 'too')
  await settle(lanes)
  expect(batches.at(-1)).toEqual(['later', 'too'])
})

test('stopping waits for running work and returns what was not handled', async () => {
  const started: string[] = []
  let begun: () => void = () => undefined
  const begins = new Promise<void>((resolve) => {
    begun = resolve
  })
  let finish: () => void = () => undefined
  const lanes = new Lanes<string>({
    ...settings,
    mostInBatch: 1,
    handle: (batch) => {
      started.push(...batch)
      begun()
      return new Promise((resolve) => {
        finish = resolve
      })
    },
    onFailure: () => undefined,
  })
  lanes.push('a', 'first')
  lanes.push('a', 'second')
  lanes.push('b', 'third')
  await begins
  const stopping = lanes.stop()
  finish()
  expect(await stopping).toEqual(expect.arrayContaining(['second', 'third']))
  expect(started).toEqual(['first'])
})
