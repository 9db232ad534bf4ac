import { expect, test } from 'vitest'
import { performDeclared } from './simulated-wishes.ts'

const command = [
  'until ready; do sleep 1; done',
  '# simulated: after 1 print starts',
  '# simulated: on run after 2 print runs',
  '# simulated: on pause after 0 print pauses',
  '# simulated: on end after 0.5 print ends',
  '# simulated: on end after 0.5 exit 7',
].join('\n')
const perform = (...wishes: [number, string][]) =>
  performDeclared(
    { command, startedAt: 10_000 },
    wishes.map(([at, wish]) => ({ at, wish })),
  )

test('a command that declares nothing is read as any other', () => {
  expect(performDeclared({ command: 'make\n#simulated: after 1 print x', startedAt: 0 }, [])).toBeNull()
})

test('what is declared follows the start and each wish, unless another wish comes first', () => {
  expect(perform([9_000, 'run'], [13_000, 'pause'], [14_000, 'run'], [15_000, 'end'])).toEqual({
    printed: [
      { at: 11_000, text: 'starts\n' },
      { at: 12_000, text: 'runs\n' },
      { at: 13_000, text: 'pauses\n' },
      { at: 15_500, text: 'ends\n' },
    ],
    end: { finishedAt: 15_500, cause: 'exit', exitCode: 7, signal: null },
  })
  expect(perform([9_000, 'unknown'])).toEqual({ printed: [{ at: 11_000, text: 'starts\n' }], end: null })
})
