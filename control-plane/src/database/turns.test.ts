import { EventEmitter, once } from 'node:events'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('an organization never has more than its turns at once, gets them in order, and delays nobody else', async () => {
  const turns = new Turns(2)
  const begun: string[] = []
  const ends = new EventEmitter()
  const done = ['0', '1', '2', '3'].map((name) =>
    turns.take('busy', async () => {
      begun.push(name)
      await once(ends, name)
      return name
    }),
  )
  await turns.take('quiet', () => Promise.resolve(begun.push('quiet')))
  expect(begun).toEqual(['0', '1', 'quiet'])
  ends.emit('1')
  expect(await done[1]).toBe('1')
  await expect.poll(() => begun).toEqual(['0', '1', 'quiet', '2'])
  ends.emit('2')
  await expect.poll(() => begun.at(-1)).toBe('3')
  ends.emit('0')
  ends.emit('3')
  await Promise.all(done)
})

test('when work fails, its turn still goes to the next', async () => {
  const turns = new Turns(1)
  const fails = turns.take('busy', () => Promise.reject(new Error('refused')))
  const follows = turns.take('busy', () => Promise.resolve('done'))
  await expect(fails).rejects.toThrow('refused')
  expect(await follows).toBe('done')
})
