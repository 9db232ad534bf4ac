import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ExecutionOptions, SecureShellConnection } from '../../secure-shell/connection.ts'
import { WaitingShells } from './waiting-shell.ts'

/** Runs a login shell on this machine as a guest's SSH server would. */
function server(loginShell = 'bash', home = '/nonexistent') {
  const sessions: ReturnType<typeof spawn>[] = []
  const cuts: Error[] = []
  let refusals = 0
  const connection = {
    cut: (cause: Error) => {
      cuts.push(cause)
      for (const session of sessions) session.kill('SIGKILL')
    },
    async execute(command: string, { onStdout, onStderr, signal }: ExecutionOptions) {
      if (refusals > 0) {
        refusals -= 1
        throw new Error('no more sessions')
      }
      // Bash reads ~/.bashrc when an SSH server started it.
      const environment = { ...process.env, HOME: home, SSH_CLIENT: '127.0.0.1 1 22', SHLVL: '0' }
      const child = spawn(loginShell, ['-c', command], { stdio: 'pipe', env: environment })
      sessions.push(child)
      child.stdin.on('error', () => undefined)
      child.stdout.on('data', (chunk: Buffer) => onStdout?.(chunk))
      child.stderr.on('data', (chunk: Buffer) => onStderr?.(chunk))
      signal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
      const exitCode = once(child, 'close').then(([code]: (number | null)[]) => {
        if (code == null) throw new Error('ended without an exit code')
        return code
      })
      return {
        write: (input: string | Buffer) => child.stdin.write(input),
        close: () => child.kill(),
        exitCode,
      }
    },
  } as unknown as SecureShellConnection
  return {
    sessions,
    cuts,
    shells: new WaitingShells(connection),
    refuse: (times: number) => {
      refusals = times
    },
    end: () => {
      for (const session of sessions) session.kill('SIGKILL')
    },
  }
}

async function run(
  shells: WaitingShells,
  program: string,
  input = '',
  signal = new AbortController().signal,
) {
  let said = ''
  const onStdout = (chunk: Buffer) => {
    said += chunk.toString()
  }
  const execution = await shells.execute(program, {
    purpose: 'a test',
    mostBytes: 300_000,
    input,
    onStdout,
    signal,
  })
  return { exitCode: await execution.exitCode, said }
}

test('a program and its input arrive whole, and the next session is already waiting', async () => {
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
  await expect(running).rejects.toThrow('aborted')
  expect((await run(shells, 'echo next')).said).toBe('next\n')
  end()
})

const startUpFiles: [what: string, loginShell: string, bashrc: string][] = [
  ['another login shell', 'dash', ''],
  ['a .bashrc that prints', 'bash', 'echo welcome; echo $SSH_CLIENT; echo to you >&2'],
  ['a .bashrc that becomes another shell', 'bash', 'exec dash'],
  ['a .bashrc that prints and becomes another shell', 'bash', 'echo welcome; exec dash'],
  [
    'a .bashrc with functions and options in the environment',
    'bash',
    'read() { false; }; export -f read; export BASH_ENV=/dev/full ENV=/dev/full; set -eu; shopt -s extglob; export SHELLOPTS',
  ],
]
test.each(startUpFiles)('%s changes nothing', async (_, loginShell, bashrc) => {
  const home = await mkdtemp(join(tmpdir(), 'hearth-home-'))
  onTestFinished(() => rm(home, { recursive: true }))
  await writeFile(join(home, '.bashrc'), `${bashrc}\n`)
  const { shells, end } = server(loginShell, home)
  const program = `read -r given; printf '%s %s' "$BASH" "$given"`
  expect(await run(shells, program, 'it is\n')).toEqual({ exitCode: 0, said: '/bin/bash it is' })
  end()
})

test('a login shell that exits is reported with its output', async () => {
  const { shells } = server('/usr/sbin/nologin')
  const cause =
    'was to run /bin/bash and ended with exit code 1; it said "This account is currently not available."'
  await expect(run(shells, 'echo never')).rejects.toThrow(cause)
})

const tooMuch: [what: string, program: string, message: string][] = [
  ['output', 'while :; do echo more; done', 'more than 300000 bytes to a test'],
  ['error output', 'while :; do echo more >&2; done', 'more than 65536 bytes on its error stream to a test'],
]
test.each(tooMuch)('endless %s ends the connection', async (_, program, message) => {
  const { shells, cuts } = server()
  await expect(run(shells, program)).rejects.toThrow('exit code')
  expect(cuts[0]?.message).toBe(`the guest answered with ${message}`)
})

test('a login shell with endless output ends the connection', async () => {
  const home = await mkdtemp(join(tmpdir(), 'hearth-home-'))
  onTestFinished(() => rm(home, { recursive: true }))
  await writeFile(join(home, '.bashrc'), 'while :; do echo more; done\n')
  const { shells, cuts } = server('bash', home)
  await expect(run(shells, 'echo never')).rejects.toThrow('exit code')
  expect(cuts[0]?.message).toBe(
    'the guest answered with more than 65536 bytes before the agent’s program began',
  )
})
