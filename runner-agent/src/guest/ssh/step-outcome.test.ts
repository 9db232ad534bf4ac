import { expect, test } from 'vitest'
import { parseStaleNumbers, parseStepOutcome } from './step-outcome.ts'

const times = 'started 1700000000.5\nfinished 1700000001,25\n'

test('each way to end is read', () => {
  const read = { startedAt: 1_700_000_000_500, finishedAt: 1_700_000_001_250 }
  expect(parseStepOutcome(`${times}exit 0\n`)).toEqual({ kind: 'succeeded', times: read })
  expect(parseStepOutcome(`${times}skipped\nexit 0\n`)).toEqual({ kind: 'skipped', times: read })
  const failed = { kind: 'failed', exitCode: 7, command: 1, cause: 'exit', limitSeconds: 60, times: read }
  expect(parseStepOutcome(`${times}failed 1 exit 60\nexit 7\n`)).toEqual(failed)
})

const unreadable: [what: string, text: string][] = [
  ['an exit code that a full disk has cut off', `${times}exit \n`],
  ['times that a full disk has cut off', 'started \nfinished \nexit 0\n'],
  ['everything cut off', 'started \nfinished \nfailed \nexit \n'],
  ['no time', 'exit 0\n'],
  ['an exit code in words', `${times}exit zero\n`],
  ['an exit code that no program has', `${times}exit 256\n`],
  ['a negative exit code', `${times}exit -0\n`],
  ['an exit code in hexadecimal', `${times}exit 0x0\n`],
  ['a fraction', `${times}exit 0.0\n`],
  ['a time that no date can say', 'started 1\nfinished 999999999999.0\nexit 0\n'],
  ['failed without a reason', `${times}exit 1\n`],
  ['failed for no known reason', `${times}failed 0 moon 3\nexit 1\n`],
  ['failed and an exit code of 0', `${times}failed 0 exit 3\nexit 0\n`],
]
test.each(unreadable)('%s is never a success', (_, text) => {
  expect(parseStepOutcome(text)).toEqual({ kind: 'lost', reason: 'unreadable' })
})

test('without an exit code a step was cut short', () => {
  expect(parseStepOutcome(times)).toEqual({ kind: 'lost', reason: 'cut_short' })
})

test('numbers of a newer version are read as they are, and never guessed', () => {
  expect(parseStaleNumbers('noise\nstale 3 14\n')).toEqual({ epoch: 3, generation: 14 })
  expect(() => parseStaleNumbers('stale 3\u001b[2J')).toThrow('which names no newer one')
})
