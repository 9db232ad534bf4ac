import { styleText } from 'node:util'
import { expect, test } from 'vitest'
import { renderTable } from './table.ts'

test('columns are aligned, without trailing spaces', () => {
  const table = {
    columns: ['NAME', 'PHASE', 'AGE'],
    rows: [
      ['a', 'running', '3s'],
      ['longer-name', 'failed', ''],
    ],
  }
  expect(renderTable(table)).toBe(
    ['NAME         PHASE    AGE', 'a            running  3s', 'longer-name  failed'].join('\n'),
  )
})

test('colours do not count as width', () => {
  const red = styleText('red', 'bad', { validateStream: false })
  const [, first, second] = renderTable({
    columns: ['A', 'B'],
    rows: [
      [red, 'x'],
      ['good', 'y'],
    ],
  }).split('\n')
  expect(first).toBe(`${red}   x`)
  expect(second).toBe('good  y')
})
