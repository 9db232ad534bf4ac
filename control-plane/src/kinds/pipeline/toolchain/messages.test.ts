import { isStorable, pipelineMessageSchema } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messagesOf } from './messages.ts'

const fault = {
  line: 2,
  column: 3,
  endLine: 2,
  endColumn: 9,
  isWarning: false,
  type: 'Error in SQL',
  message: 'no such column: b',
  snippet: 'SELECT b\n  ^',
}
const line = (changed: object = {}) => JSON.stringify({ ...fault, ...changed })

test('each line that tells a fault is one, with its place and snippet', () => {
  const output = `checking…\n${line()}\n${line({ line: 4, endLine: 5, endColumn: 1, isWarning: true })}\ndone\n`
  expect(messagesOf(output)).toEqual([
    {
      startLine: 2,
      startColumn: 3,
      endLine: 2,
      endColumn: 9,
      isWarning: false,
      type: 'Error in SQL',
      message: 'no such column: b',
      snippet: 'SELECT b\n  ^',
    },
    expect.objectContaining({ startLine: 4, endLine: 5, endColumn: 1, isWarning: true }),
  ])
})

test.each([
  ['no JSON', '{"line": 1'],
  ['no place', line({ line: undefined })],
  ['a place before the first', line({ line: 0 })],
  ['a place that is no number', line({ column: '1; DROP TABLE' })],
  ['a place that no text has', line({ column: 1e300 })],
  ['no message', line({ message: undefined })],
  ['a message that is an object', line({ message: {} })],
  ['a list', '[1]'],
  ['a line without an end', `{"message": "${'x'.repeat(20_000)}"`],
])('what is no fault is passed over: %s', (_, output) => {
  expect(messagesOf(`${output}\n${line()}`)).toHaveLength(1)
})

test('what is left out, or cannot be, is as if it was not known', () => {
  const [message] = messagesOf(line({ endLine: 1, isWarning: 'yes', type: 7, snippet: ['x'] }))
  expect(message).toMatchObject({ endLine: 2, endColumn: 3, isWarning: false, type: 'Error', snippet: null })
})

test('faults as compilers print them have their line and column', () => {
  expect(
    messagesOf('src/main.c:12:7: warning: unused\nmain.go:3:1: undefined: x\nhttp://a:80:1: x\n12:30:45: up'),
  ).toMatchObject([
    { startLine: 12, startColumn: 7, isWarning: true, type: 'Warning', message: 'src/main.c: unused' },
    { startLine: 3, startColumn: 1, isWarning: false, message: 'main.go: undefined: x' },
  ])
})

test('a failure that tells no fault is told by the end of its output; a success by nothing', () => {
  expect(messagesOf('sh: 1: gcc: not found\n', { hasFailed: true })).toEqual([
    expect.objectContaining({ startLine: 0, startColumn: 0, message: 'sh: 1: gcc: not found' }),
  ])
  expect(messagesOf('all is well')).toEqual([])
  expect(messagesOf(' \n', { hasFailed: true })).toEqual([])
})

test('whatever a guest prints, what is kept is bounded, and can be stored and shown', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom('\0', '\ud800', '\u001b', '"', '\\', 'é'), maxLength: 300 }),
  )
  const printed = fc.oneof(
    text,
    fc
      .record({ line: fc.integer(), column: fc.integer(), type: text, message: text, snippet: text })
      .map((each) => JSON.stringify(each)),
    fc
      .tuple(text, fc.nat(), fc.nat(), text)
      .map(([file, row, column, said]) => `${file}:${row}:${column}: ${said}`),
  )
  fc.assert(
    fc.property(fc.array(printed, { maxLength: 40 }), fc.boolean(), (lines, hasFailed) => {
      const messages = messagesOf(lines.join('\n'), { hasFailed })
      expect(messages.length).toBeLessThanOrEqual(40)
      for (const message of messages) {
        expect(pipelineMessageSchema.safeParse(message).success).toBe(true)
        for (const said of [message.message, message.type, message.snippet ?? '']) {
          expect(isStorable(said)).toBe(true)
          expect(Buffer.byteLength(said)).toBeLessThanOrEqual(4_096)
          expect(said).not.toContain('\u001b')
        }
      }
    }),
  )
})

test('a hundred faults are kept of any number, and a flood is read at its end only', () => {
  expect(messagesOf(`${line()}\n`.repeat(1_000))).toHaveLength(100)
  const flood = `${line({ message: 'early' })}\n${'x'.repeat(2_000_000)}\n${line({ message: 'late' })}`
  expect(messagesOf(flood).map(({ message }) => message)).toEqual(['late'])
})

test('the texts of all messages together are bounded, the first ones staying', () => {
  const long = (index: number) =>
    line({ message: `${index} ${'é'.repeat(2_000)}`, snippet: 'x'.repeat(3_000) })
  const messages = messagesOf(Array.from({ length: 50 }, (_, index) => long(index)).join('\n'))
  const bytes = messages.reduce(
    (sum, { message, snippet }) => sum + Buffer.byteLength(message) + Buffer.byteLength(snippet ?? ''),
    0,
  )
  expect(messages[0]?.message).toMatch(/^0 /)
  expect(bytes).toBeLessThanOrEqual(65_536)
  expect(bytes).toBeGreaterThan(57_000)
})
