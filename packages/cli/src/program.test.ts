import { FixedClock } from '@hearth/foundation'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { attachOptions } from './commands/ci-attach.ts'
import { readConfig } from './config.ts'
import { exitCodeOf } from './exit-codes.ts'
import type { Terminal } from './output/terminal.ts'
import { createProgram } from './program.ts'

function programWith(variables: Record<string, string> = {}) {
  const out: string[] = []
  const notes: string[] = []
  const terminal: Terminal = {
    out: (text) => void out.push(`${text}\n`),
    raw: (text) => void out.push(text),
    verbatim: (text) => void out.push(text),
    note: (text) => void notes.push(text),
    tone: (_, text) => text,
    isInteractive: false,
  }
  const program = createProgram({
    config: readConfig({ HOME: '/nonexistent', XDG_STATE_HOME: '/nonexistent', ...variables }, 1000),
    terminal,
    clock: new FixedClock(new Date('2026-11-20T18:07:00.000Z')),
    signal: new AbortController().signal,
  })
  silence(program)
  return { program, out, notes }
}

function silence(command: Command): void {
  command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  for (const child of command.commands) silence(child)
}

const run = (...words: string[]) => programWith().program.parseAsync(words, { from: 'user' })

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
}

test('every command says what it does and shows an example', () => {
  const topics = ['exit-codes', 'kinds', 'context', 'help']
  const commands = leaves(programWith().program).filter((command) => !topics.includes(command.name()))
  expect(commands.length).toBeGreaterThan(20)
  for (const command of commands) {
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text) })
    command.outputHelp()
    expect(command.summary(), command.name()).not.toBe('')
    expect(help, command.name()).toMatch(/Examples:\n {2}\$ (source <\(|cat )?hearth /)
  }
})

test('unknown words, missing arguments and values out of range are usage faults', async () => {
  for (const words of [
    ['frobnicate'],
    ['get'],
    ['claim', 'shop', '--fallback', 'maybe'],
    ['claim', 'shop', '--wait', 'soon'],
    ['dev', '--port', '70000'],
    ['token', 'create', 'x', '--role', 'runner'],
  ]) {
    await expect(run(...words), words.join(' ')).rejects.toMatchObject({ exitCode: 1, code: /^commander\./ })
  }
})

test('without a configured control plane a command says how to get one, and exits with 5', async () => {
  const error = await run('get', 'environments').catch((thrown: unknown) => thrown)
  expect(exitCodeOf(error)).toBe(5)
  expect((error as Error).message).toContain('hearth dev')
})

test('a kind that does not exist is bad input', async () => {
  const error = await run('get', 'machines').catch((thrown: unknown) => thrown)
  expect(exitCodeOf(error)).toBe(2)
})

test('`hearth ci attach` has the options that follow it, although `hearth ci` takes the same', async () => {
  const { program } = programWith()
  const ci = program.commands.find((command) => command.name() === 'ci')
  const attach = ci?.commands.find((command) => command.name() === 'attach')
  let given: unknown
  attach?.action((reference: string, _: unknown, command: Command) => {
    given = { reference, ...attachOptions(command) }
  })
  const words = ['ci', 'attach', 'session-1', '--keep', '--artifacts', 'here', '--junit', 'results.xml']
  await program.parseAsync(words, { from: 'user' })
  expect(given).toMatchObject({
    ...{ reference: 'session-1', keep: true },
    ...{ artifacts: 'here', junit: 'results.xml' },
  })
})
