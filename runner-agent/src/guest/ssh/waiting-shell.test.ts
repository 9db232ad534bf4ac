import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { ExecutionOptions, SecureShellConnection } from '../../secure-shell/connection.ts'
import { WaitingShells } from './waiting-shell.ts'

/** As the SSH server of a guest would, in this machine's bash. */
function server() {
  const sessions: ReturnType<typeof spawn>[] = []
  let refusals = 0
  const connection = {
    async execute(command: string, { onStdout, signal }: ExecutionOptions) {
      if (refusals > 0) {
        refusals -= 1
        throw new Error('no more sessions')
      }
      const child = spawn('bash', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] })
      sessions.push(child)
      child.stdin.on('error', () => undefined)
      child.stdout.on('data', (chunk: Buffer) => onStdout?.(chunk))
      signal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
      const exitCode = once(child, 'close').then(([code]: (number | null)[]) => {
        if (code == null) throw new Error('ended without an exit code')
        return code
      })
      return { write: (input: string | Buffer) => child.stdin.write(input), exitCode }
    },
  } as unknown as SecureShellConnection
  return {
    sessions,
    shells: new WaitingShells(connection),
    refuse: (times: number) => {
      refusals = times
    },
    end: () => {
      for (const session of sessions) session.kill('SIGKILL')
    },
  }
}

async function run(shells: WaitingShells, program: string, input = '', signal?: AbortSignal) {
  let said = ''
  const onStdout = (chunk: Buffer) => {
    said += chunk.toString()
  }
  const execution = await shells.execute(program, { input, onStdout, ...(signal && { signal }) })
  return { exitCode: await execution.exitCode, said }
}

test('a program and its input come through whole, and the next session waits already', async () => {
  const { shells, sessions, end } = server()
  const text = `ü 漢 "it's" \\ $HOME\n${'x'.repeat(200_000)}`
  const program = `IFS= LC_ALL=C read -r -d '' -N ${Buffer.byteLength(text)} given; printf %s "$given"; exit 7`
  expect(await run(shells, program, text)).toEqual({ exitCode: 7, said: text })
  const opened = sessions.length
  expect(opened).toBe(2)
  expect(await run(shells, `: ü; echo $$`)).toEqual({ exitCode: 0, said: `${sessions[1]?.pid}\n` })
  end()
})

test('no more than one session waits, however often it is asked for', async () => {
  const { shells, sessions, end } = server()
  shells.prepare()
  shells.prepare()
  expect((await Promise.all([run(shells, 'echo a'), run(shells, 'echo b')])).map(({ said }) => said)).toEqual(
    ['a\n', 'b\n'],
  )
  shells.prepare()
  expect(sessions).toHaveLength(3)
  end()
})

test('a session that could not be opened, or ended while it waited, fails its program and no later one', async () => {
  const { shells, sessions, refuse, end } = server()
  refuse(1)
  shells.prepare()
  await expect(run(shells, 'echo never')).rejects.toThrow('no more sessions')
  expect((await run(shells, 'echo one')).said).toBe('one\n')
  const waiting = sessions.at(-1)
  waiting?.kill('SIGKILL')
  if (waiting) await once(waiting, 'close')
  await expect(run(shells, 'echo never')).rejects.toThrow('exit code')
  expect((await run(shells, 'echo two')).said).toBe('two\n')
  end()
})

test('a program is ended with its signal, and the session that waits is not', async () => {
  const { shells, end } = server()
  const stop = new AbortController()
  const running = run(shells, 'echo begun; read -r', '', stop.signal)
  stop.abort()
  await expect(running).rejects.toThrow('exit code')
  expect((await run(shells, 'echo next')).said).toBe('next\n')
  end()
})
