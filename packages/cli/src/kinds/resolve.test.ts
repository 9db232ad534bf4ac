import { expect, test } from 'vitest'
import { byIdOrName } from './resolve.ts'

const item = (id: string, name: string) => ({ metadata: { id, name } })
const first = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const second = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a12'
const third = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a13'
const all = [item(first, 'blue'), item(second, 'red'), item(third, 'red')]
const group = {
  get: async (id: string) => {
    const found = all.find(({ metadata }) => metadata.id === id)
    if (found === undefined) throw new Error('asked for what is not there')
    return found
  },
  listAll: async ({ name }: { name: string }) => all.filter(({ metadata }) => metadata.name === name),
}
const resolve = (reference: string) => byIdOrName('thing', group, reference, new AbortController().signal)

test('an id, or a name that only one resource has, is resolved', async () => {
  expect((await resolve(second)).metadata.id).toBe(second)
  expect((await resolve('blue')).metadata.id).toBe(first)
})

test('an ambiguous name is refused', async () => {
  await expect(resolve('red')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(third),
  })
})

test('a name nobody has is not found', async () => {
  await expect(resolve('green')).rejects.toMatchObject({ code: 'not_found' })
})
