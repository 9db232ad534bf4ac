import { expect, test } from 'vitest'
import { renderTable } from './table.ts'
import { terminalOf } from './terminal.ts'
import { visibleLine, visibleText } from './visible-text.ts'

/** Characters that would move, hide or rename text in a terminal, and how each is shown. */
const hostile: [what: string, text: string, shown: string][] = [
  ['a title', '\u001b]0;TITLE\u0007', '\\u001b]0;TITLE\\u0007'],
  ['a cleared screen', '\u001b[2J\u001b[H', '\\u001b[2J\\u001b[H'],
  ['hidden text', '\u001b[8mhidden', '\\u001b[8mhidden'],
  ['a clipboard', '\u001b]52;c;cm0gLXJm\u001b\\', '\\u001b]52;c;cm0gLXJm\\u001b\\'],
  ['an 8-bit sequence', '\u009b2J\u009d0;x\u009c', '\\u009b2J\\u009d0;x\\u009c'],
  ['an overwritten line', 'evil\rgood', 'evil\\u000dgood'],
  ['backspaces', 'evil\b\b\b\bgood', 'evil\\u0008\\u0008\\u0008\\u0008good'],
  ['turned text', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['other line ends', 'a\u2028b\u0085c', 'a\\u2028b\\u0085c'],
  ['NUL and DEL', '\u0000\u007f', '\\u0000\\u007f'],
]

function captured() {
  const written: string[] = []
  const stream = { isTTY: true, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream
  return { terminal: terminalOf({ out: stream, note: stream }, false), written }
}

test.each(hostile)('%s is shown escaped, however it is written', (_, text, shown) => {
  const { terminal, written } = captured()
  terminal.out(text)
  terminal.raw(text)
  terminal.note(text)
  terminal.out(terminal.tone('bad', text))
  expect(written).toEqual([`${shown}\n`, shown, `${shown}\n`, `\u001b[31m${shown}\u001b[39m\n`])
})

test('only text that is requested raw is written raw', () => {
  const { terminal, written } = captured()
  terminal.verbatim('\u001b[2J')
  expect(written).toEqual(['\u001b[2J'])
})

test('line ends and tabs stay, and JSON means the same as before', () => {
  expect(visibleText('a\r\nb\tc\n')).toBe('a\nb\tc\n')
  const value = { text: 'x\u009b\u202e\u001by' }
  expect(JSON.parse(visibleText(JSON.stringify(value)))).toEqual(value)
})

test('a cell keeps to its row and its column', () => {
  expect(visibleLine('a\nforged  row')).toBe('a\\u000aforged  row')
  const rows = [
    ['\u001b[2J', 'x'],
    ['b\nc', 'y'],
  ]
  expect(renderTable({ columns: ['A', 'B'], rows })).toBe(
    ['A          B', '\\u001b[2J  x', 'b\\u000ac   y'].join('\n'),
  )
})
