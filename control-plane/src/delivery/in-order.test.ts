import fc from 'fast-check'
import { expect, test } from 'vitest'
import { carryInOrder } from './in-order.ts'

const never = () => false

test('whatever fails, no item of a key is done before or without the items it follows', async () => {
  const items = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean(), turns: fc.nat(3) }),
    { maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(items, async (given) => {
      const began: (typeof given)[number][] = []
      const { done, failures } = await carryInOrder(
        given,
        ({ key }) => key,
        async (item) => {
          began.push(item)
          for (let turn = 0; turn < item.turns; turn += 1) await Promise.resolve()
          if (item.fails) throw new Error('refused')
        },
        never,
      )
      for (const key of ['a', 'b', 'c']) {
        const line = given.filter((item) => item.key === key)
        const failing = line.findIndex(({ fails }) => fails)
        const expected = failing === -1 ? line : line.slice(0, failing)
        expect(line.filter((item) => done.has(item))).toEqual(expected)
        expect(began.filter((item) => item.key === key)).toEqual(line.slice(0, expected.length + 1))
        expect(failures.filter(({ item }) => item.key === key)).toHaveLength(failing === -1 ? 0 : 1)
      }
    }),
  )
})

test('different keys do not wait for each other', async () => {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const carried = carryInOrder(
    ['a', 'b'],
    (item) => item,
    async (item) => {
      if (item === 'a') await held
      else release()
    },
    never,
  )
  expect([...(await carried).done]).toEqual(['b', 'a'])
})

test('after the end nothing new is started', async () => {
  let over = false
  const { done } = await carryInOrder(
    [1, 2],
    () => 'one line',
    async () => {
      over = true
    },
    () => over,
  )
  expect([...done]).toEqual([1])
})
