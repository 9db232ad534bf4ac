import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callContract } from '../../guest/call-contract.ts'
import { syntheticCalls } from './synthetic-calls.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-synthetic-calls-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const exec = { id: 'one', command: 'echo $STAGE', folder: '/', limitSeconds: 10, mostOutputBytes: 100 }

describe('calls of a synthetic guest keep the contract:', () => {
  for (const [promise, holds] of callContract)
    test(promise, () => holds({ calls: syntheticCalls(folder, true) }))
})

test('a command sees the variables of the machine', async () => {
  await writeFile(join(folder, 'guest-home-.env'), `STAGE='one two'\n`)
  const { stdout } = await syntheticCalls(folder, true).exec(exec, AbortSignal.timeout(20_000))
  expect(stdout.bytes.toString()).toBe('one two\n')
})

test('of commands that end at once nothing is lost, however many there are', async () => {
  const calls = syntheticCalls(folder, true)
  for (let round = 0; round < 20; round += 1) {
    const ids = Array.from({ length: 6 }, (_, index) => `quick-${round}-${index}`)
    const ends = await Promise.all(
      ids.map((id) =>
        calls.exec({ ...exec, id, command: `echo ${id}; echo error >&2` }, AbortSignal.timeout(60_000)),
      ),
    )
    expect(ends.map(({ stdout, stderr }) => `${stdout.bytes}${stderr.bytes}`)).toEqual(
      ids.map((id) => `${id}\nerror\n`),
    )
  }
  expect(await readdir(join(folder, 'run-calls'))).toEqual([])
})

test('nothing is run where the host’s settings do not say so', async () => {
  const calls = syntheticCalls(folder, false)
  await expect(calls.exec(exec, AbortSignal.timeout(20_000))).rejects.toThrow(/HEARTH_SYNTHETIC_COMMANDS/)
  await expect(calls.readFile('/etc/passwd', 0, 1, AbortSignal.timeout(20_000))).rejects.toThrow(/no files/)
})
