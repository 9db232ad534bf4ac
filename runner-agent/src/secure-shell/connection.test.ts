import { afterEach, beforeEach, expect, test } from 'vitest'
import { SecureShellConnection } from './connection.ts'
import { LocalServer } from './local-server.fixture.ts'

const sessionsAtOnce = 8
let server: LocalServer
let connection: SecureShellConnection
beforeEach(async () => {
  server = await LocalServer.make()
  const { address, privateKey } = server
  connection = await SecureShellConnection.open({ ...address, privateKey, stream: server.connect() })
})
afterEach(async () => {
  connection.close()
  await server.remove()
})

const fill = (command: string, onStdout?: () => void) =>
  Promise.all(
    Array.from({ length: sessionsAtOnce }, () =>
      connection.execute(command, { keepInputOpen: true, ...(onStdout === undefined ? {} : { onStdout }) }),
    ),
  )

test('what is paused and then closed gives its session back', async () => {
  let begun: () => void = () => undefined
  const all = await fill('yes', () => begun())
  // The output of each fills all that may be on its way.
  for (const execution of all) execution.pause()
  await new Promise<void>((resolve) => {
    begun = resolve
    all[0]?.resume()
  })
  all[0]?.pause()
  for (const execution of all) execution.close()
  const late = await connection.execute('exit 3', { signal: AbortSignal.timeout(20_000) })
  expect(await late.exitCode).toBe(3)
})

test('who gives up waiting for a session takes nobody’s place', async () => {
  const all = await fill('read line')
  const leaving = new AbortController()
  const left = connection.execute('exit 4', { signal: leaving.signal })
  const patient = connection.execute('exit 5')
  leaving.abort(new Error('has left'))
  await expect(left).rejects.toThrow('has left')
  all[0]?.write('go\n')
  expect(await (await patient).exitCode).toBe(5)
})
