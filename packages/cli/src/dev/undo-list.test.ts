import { expect, test } from 'vitest'
import { UndoList } from './undo-list.ts'

test('actions are undone once, the last first, and a failure does not stop the others', async () => {
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
