import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { eventually } from './eventually.ts'

const programText = `
const { startPostgres } = await import(process.argv[1] + '/../../embedded/src/index.ts')
const { guard } = await import(process.argv[1] + '/guardian.ts')
const { programsFolder, temporaryFolder } = await import(process.argv[1] + '/folder.ts')
const folder = await temporaryFolder('guarded')
const server = await startPostgres({ folder, programs: await programsFolder(), log: () => undefined, durable: false })
guard(server.pid, folder)
console.log(JSON.stringify({ pid: server.pid, folder }))
setInterval(() => undefined, 60_000)
`

test('a server whose test was killed ends and leaves nothing behind', async () => {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', programText, import.meta.dirname],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: join(import.meta.dirname, '..', '..', '..') },
  )
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const { pid, folder } = JSON.parse(String(line)) as { pid: number; folder: string }
  await access(join(folder, 'data'))
  expect(process.kill(pid, 0)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await eventually(() => isGone(pid), { timeoutMilliseconds: 15_000 })
  await eventually(
    () =>
      access(folder).then(
        () => false,
        () => true,
      ),
    { timeoutMilliseconds: 5_000 },
  )
})

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}
