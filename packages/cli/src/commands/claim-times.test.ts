import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readClaimTimes } from './claim-times.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-claim-times-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function read(text: string): string[] {
  const path = join(folder, 'claims')
  writeFileSync(path, text)
  return readClaimTimes(path)
}
const times = ['2026-01-01T12:00:00.000Z', '2026-01-01T12:00:01.500Z']

test('times are read from lines, from JSON, and from claims as they are printed', () => {
  expect(read('2026-01-01T12:00:00Z\n2026-01-01T13:00:01.5+01:00\n')).toEqual(times)
  expect(read(JSON.stringify(times))).toEqual(times)
  expect(
    read(JSON.stringify(times.map((createdAt) => ({ kind: 'Claim', metadata: { createdAt } })))),
  ).toEqual(times)
})

test.each([
  ['', 'holds no time'],
  ['2026-01-01T12:00:00Z\nyesterday', 'entry 2: "yesterday" is no time, as 2026-01-31T12:00:00Z'],
  ['[{"kind": "Claim"}]', 'is no list of times or of claims'],
  ['["2026', 'is no JSON'],
  [`${times[0]}\n`.repeat(10_001), 'holds 10001 times: at most 10000 are simulated'],
])('%.20j is refused', (text, message) => {
  expect(() => read(text)).toThrow(message)
})

test('a file that is not there is named', () => {
  expect(() => readClaimTimes(join(folder, 'absent'))).toThrow(/cannot read .*absent/)
})
