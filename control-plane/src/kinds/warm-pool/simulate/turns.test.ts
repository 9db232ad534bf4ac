import { expect, test } from 'vitest'
import { SimulationTurns } from './turns.ts'

function gate() {
  let resolve: (value: number) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<number>((opened, failed) => {
    resolve = opened
    reject = failed
  })
  return { promise, resolve, reject }
}

test('one runs at a time, a failed one holds up none, and the ninth that would wait is refused', async () => {
  const turns = new SimulationTurns()
  const began: number[] = []
  const gates = Array.from({ length: 8 }, gate)
  const asked = gates.map(({ promise }, index) =>
    turns.take(() => {
      began.push(index)
      return promise
    }),
  )
  await expect(turns.take(() => Promise.resolve(0))).rejects.toMatchObject({ code: 'rate_limited' })
  expect(began).toEqual([0])
  gates[0]?.reject(new Error('no'))
  await expect(asked[0]).rejects.toThrow('no')
  for (const [index, each] of gates.entries()) each.resolve(index)
  expect(await Promise.all(asked.slice(1))).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(began).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(await turns.take(() => Promise.resolve('again'))).toBe('again')
})
