import { expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { seededRandom } from './seeded-random.ts'

test('the first truthy answer is returned', async () => {
  let asked = 0
  const answer = await eventually(
    () => {
      asked += 1
      if (asked < 2) throw new Error('not there')
      return asked < 4 ? undefined : 'there'
    },
    { timeoutMilliseconds: 5_000, intervalMilliseconds: 1 },
  )
  expect(answer).toBe('there')
  expect(asked).toBe(4)
})

test('after the time limit the error has the last answer or error', async () => {
  const options = { timeoutMilliseconds: 20, intervalMilliseconds: 1 }
  await expect(eventually(() => 0, options)).rejects.toThrow('not within 20 ms: the last answer was 0')
  const failing = () => Promise.reject(new Error('no such row'))
  await expect(eventually(failing, options)).rejects.toThrow('the last error was no such row')
})

test('the same seed gives the same random numbers, another seed others', () => {
  const sequence = (seed: number) => {
    const random = seededRandom(seed)
    return [random.shuffle([1, 2, 3, 4, 5, 6, 7, 8]), Array.from({ length: 50 }, () => random.integer(3, 5))]
  }
  expect(sequence(7)).toEqual(sequence(7))
  expect(sequence(7)).not.toEqual(sequence(8))
  const [shuffled, numbers] = sequence(7)
  expect(shuffled?.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(new Set(numbers)).toEqual(new Set([3, 4, 5]))
})
