import { expect, test } from 'vitest'
import { UndoList } from './undo-list.ts'

test('the last is undone first, once, and a failure holds the others not back', async () => {
  const undone: string[] = []
  const failed: string[] = []
  const list = new UndoList()
  list.add('first', () => void undone.push('first'))
  list.add('second', () => Promise.reject(new Error('stuck')))
  list.add('third', async () => void undone.push('third'))
  await list.run((name) => failed.push(name))
  await list.run((name) => failed.push(name))
  expect(undone).toEqual(['third', 'first'])
  expect(failed).toEqual(['second'])
})
