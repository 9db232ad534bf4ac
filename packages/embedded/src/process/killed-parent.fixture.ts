import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

interface Left {
  pid: number
  port: number
  url: string
}

const programText = `
const [, index, name, options] = process.argv
const embedded = await import(index)
const server = await embedded[name]({ ...JSON.parse(options), log: () => undefined })
console.log(JSON.stringify({ pid: server.pid, port: server.port, url: server.url }))
setInterval(() => undefined, 60_000)
`

/** Starts a server from a separate process, kills that process with SIGKILL, and returns what is still running. */
export async function killedParent(
  name: 'startPostgres' | 'startNatsServer',
  options: { folder: string } & Record<string, unknown>,
): Promise<Left> {
  const source = join(import.meta.dirname, '..')
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      programText,
      join(source, 'index.ts'),
      name,
      JSON.stringify({ programs: sharedPrograms(), ...options }),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: join(source, '..', '..', '..') },
  )
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), exited.then(() => undefined)])
  if (first === undefined) throw new Error('the parent ended before its server had started')
  child.kill('SIGKILL')
  await exited
  return JSON.parse(String(first[0])) as Left
}

function sharedPrograms(): string {
  return join(tmpdir(), `hearth-testing-${process.getuid?.()}`, 'programs')
}
