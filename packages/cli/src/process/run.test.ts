import { expect, test } from 'vitest'
import { run } from './run.ts'

const environment = { PATH: '/usr/bin:/bin' }

test('output and status come back, input goes in', async () => {
  const finished = await run('sh', ['-c', 'cat; echo oops >&2; exit 3'], { environment, input: 'hello' })
  expect(finished).toEqual({ exitCode: 3, stdout: 'hello', stderr: 'oops\n' })
})

test('a timeout also ends what the program started', async () => {
  const started = performance.now()
  const finished = await run('sh', ['-c', "trap '' TERM; sleep 20; true"], {
    environment,
    timeoutMilliseconds: 200,
  })
  expect(finished.exitCode).toBeNull()
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('a missing program is an error', async () => {
  await expect(run('hearth-no-such-program', [], { environment })).rejects.toThrow(/ENOENT/)
})
