import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalGuest } from './process.fixture.ts'

let guest: LocalGuest
beforeEach(async () => {
  guest = await LocalGuest.make()
})
afterEach(() => rm(guest.folder, { recursive: true, force: true }))

test('a run prints and ends with its exit code', async () => {
  const { output, ended, ready, stderr } = await guest.follow(guest.runOf('echo out; echo err >&2; exit 3'))
    .ended
  expect(stderr).toBe('')
  expect(output.toString()).toBe('out\nerr\n')
  expect(ready).toHaveLength(1)
  expect(ended).toMatchObject({
    outputBytes: 8,
    run: { number: 1, ending: { cause: 'exit', exitCode: 3, signal: null } },
  })
})
