import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lanes } from './lanes.ts'

async function settle(lanes: Lanes<unknown>): Promise<void> {
  while ([...lanes.held()].length > 0) await lanes.changed()
}

test('whatever fails and however it is mixed, each key keeps its order and nothing is lost', async () => {
  const items = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() }), {
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(items, fc.integer({ min: 1, max: 3 }), async (pushed, concurrency) => {
      const done: number[] = []
      const failed = new Set<number>()
      let running = 0
      const lanes = new Lanes<{ key: string; number: number; fails: boolean }>({
        concurrency,
        firstRestMilliseconds: 1,
        handle: async ({ number, fails }) => {
          running += 1
          expect(running).toBeLessThanOrEqual(concurrency)
          await Promise.resolve()
          running -= 1
          if (fails && !failed.has(number)) {
            failed.add(number)
            throw new Error('once')
          }
          done.push(number)
        },
        onFailure: () => undefined,
      })
      for (const [number, item] of pushed.entries()) lanes.push(item.key, { ...item, number })
      await settle(lanes)
      for (const key of ['a', 'b', 'c']) {
        const numbers = pushed.flatMap((item, number) => (item.key === key ? [number] : []))
        expect(done.filter((number) => numbers.includes(number))).toEqual(numbers)
      }
    }),
    { numRuns: 50 },
  )
})

test('items behind a failure press on nobody', async () => {
  let works = false
  const lanes = new Lanes<string>({
    concurrency: 1,
    firstRestMilliseconds: 1,
    handle: async (item) => {
      if (item === 'poison' && !works) throw new Error('not yet')
    },
    onFailure: () => undefined,
  })
  lanes.push('bad', 'poison')
  lanes.push('bad', 'behind it')
  lanes.push('good', 'fine')
  while ([...lanes.held()].includes('fine')) await lanes.changed()
  expect(lanes.pressure()).toBe(0)
  expect([...lanes.held()]).toEqual(['poison', 'behind it'])
  works = true
  await settle(lanes)
})

test('stopping waits for what runs and gives back what was not handled', async () => {
  let finish: () => void = () => undefined
  const started: string[] = []
  const lanes = new Lanes<string>({
    concurrency: 1,
    firstRestMilliseconds: 1,
    handle: (item) => {
      started.push(item)
      return new Promise((resolve) => {
        finish = resolve
      })
    },
    onFailure: () => undefined,
  })
  lanes.push('a', 'first')
  lanes.push('a', 'second')
  lanes.push('b', 'third')
  const stopping = lanes.stop()
  finish()
  expect(await stopping).toEqual(expect.arrayContaining(['second', 'third']))
  expect(started).toEqual(['first'])
})
