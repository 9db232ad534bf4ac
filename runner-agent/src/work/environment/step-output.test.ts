import { expect, test } from 'vitest'
import { secretAutomaton } from './secret-mask.ts'
import { lastLines, StepOutput } from './step-output.ts'

async function setUp(secrets: string[] = []) {
  const pieces: [string, number][] = []
  const ends: number[] = []
  const output = new StepOutput(await secretAutomaton(secrets), {
    onText: (text, offset) => pieces.push([text, offset]),
    onEnd: (bytes) => ends.push(bytes),
  })
  return { output, pieces, ends }
}

test('pieces have their offset in the masked output, not in the printed one', async () => {
  const { output, pieces, ends } = await setUp(['s3cr3t'])
  output.add(Buffer.from('a s3cr3t ü '))
  output.add(Buffer.from('b'))
  output.end()
  output.end()
  expect(pieces).toEqual([
    ['a *** ü ', 0],
    ['b', 9],
  ])
  expect(ends).toEqual([10])
  expect(output.bytes).toBe(10)
})

test('the last lines are at most 20, without the empty end', () => {
  const text = Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join('')
  expect(lastLines(`${text}\n\n`)).toHaveLength(20)
  expect(lastLines(text).at(-1)).toBe('line 29')
  expect(lastLines('\n')).toEqual([])
})
