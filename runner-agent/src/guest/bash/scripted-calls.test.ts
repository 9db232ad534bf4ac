import { expect, test } from 'vitest'
import { CallRefused } from '../call.ts'
import { GuestMisbehaved } from '../guest.ts'
import { processPaths } from './process-paths.ts'
import { type RunInGuest, ScriptedCalls } from './scripted-calls.ts'

const signal = new AbortController().signal
const exec = { id: 'one', command: 'true', folder: '/', limitSeconds: 1, mostOutputBytes: 10 }

/** A guest that answers with what it likes; `DELIMITER` is what the program was told to print. */
function lying(answer: string | Buffer): ScriptedCalls {
  const run: RunInGuest = async (program) => {
    const [delimiter = ''] = /hearth-[0-9a-f]{32}/.exec(program) ?? []
    return typeof answer === 'string' ? Buffer.from(answer.replaceAll('DELIMITER', delimiter)) : answer
  }
  return new ScriptedCalls(run, processPaths)
}

test.each([
  ['nothing', ''],
  ['no line', 'DELIMITER ended 0 0 0 0 0'],
  ['another delimiter', 'hearth-00000000000000000000000000000000 ended 0 0 0 0 0\n'],
  ['too few sizes', 'DELIMITER ended 0 0 0\n'],
  ['less than it says', 'DELIMITER ended 0 5 0 0 0\nabc'],
  ['more than it says', 'DELIMITER ended 0 1 0 1 0\nabc'],
  ['more than was asked for', 'DELIMITER ended 0 11 0 0 0\n01234567890'],
  ['a negative size', 'DELIMITER ended 0 -1 0 4 0\nabc'],
  ['a size that is no number', 'DELIMITER ended 0 0x3 0 0 0\nabc'],
  ['an exit code that is none', 'DELIMITER ended 256 0 0 0 0\n'],
  ['a fault that is none', 'DELIMITER refused because\n'],
  ['the answer to another question', 'DELIMITER written\n'],
])('a guest that answers a command with %s is told apart', async (_, answer) => {
  await expect(lying(answer).exec(exec, signal)).rejects.toThrow(GuestMisbehaved)
})

test.each([
  ['a size that is no number', 'DELIMITER file big -\nabc'],
  ['more than was asked for', 'DELIMITER file 3 -\nabc'],
  ['a digest that is none', 'DELIMITER file 3 <script>\na'],
  ['a folder of names with slashes', 'DELIMITER folder\nd 1 ../../etc\0'],
  ['a folder of nameless entries', 'DELIMITER folder\nd 1 \0'],
  ['a folder of names that are too long', `DELIMITER folder\nd 1 ${'x'.repeat(300)}\0`],
  ['how a command ended', 'DELIMITER ended 0 0 0 0 0\n'],
])('a guest that answers a reader with %s is told apart', async (_, answer) => {
  await expect(lying(answer).readFile('/x', 0, 2, signal)).rejects.toThrow(GuestMisbehaved)
})

test('what is believed of a guest is what fits, and its refusals are told', async () => {
  expect(await lying('DELIMITER ended overdue 2 1 1 0\nabc').exec(exec, signal)).toEqual({
    exitCode: null,
    stdout: { bytes: Buffer.from('ab'), isCut: true },
    stderr: { bytes: Buffer.from('c'), isCut: false },
  })
  const many = Array.from({ length: 6_000 }, (_, index) => `f ${index} name-${index}\0`).join('')
  const listed = await lying(`DELIMITER folder\n${many}f 1 cut`).readFile('/x', 0, 2, signal)
  expect(listed).toMatchObject({ kind: 'folder', isCut: true })
  expect(listed.kind === 'folder' && listed.entries.length).toBe(5_000)
  await expect(
    lying('DELIMITER refused exists\n').writeFile('/x', Buffer.from(''), 'create', signal),
  ).rejects.toThrow(CallRefused)
})
