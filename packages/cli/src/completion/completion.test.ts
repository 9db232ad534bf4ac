import { execFileSync } from 'node:child_process'
import { FixedClock } from '@hearth/foundation'
import { expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { terminalOf } from '../output/terminal.ts'
import { createProgram } from '../program.ts'
import { bashCompletion } from './bash.ts'
import { fishCompletion } from './fish.ts'
import { completionTree } from './tree.ts'
import { zshCompletion } from './zsh.ts'

const tree = completionTree(
  createProgram({
    config: readConfig({ HOME: '/home/ada' }, 1000),
    terminal: terminalOf({ out: process.stdout, note: process.stderr }, true),
    clock: new FixedClock(new Date(0)),
    signal: new AbortController().signal,
  }),
)

/** What a real bash offers for a line, with the cursor after its last word. */
function offered(...words: string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(' ')
  const script = `${bashCompletion(tree)}
    COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _hearth; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim().split('\n')
}

test('bash offers commands, the commands of commands, and their options', () => {
  expect(offered('hearth', 'cl')).toEqual(['claim'])
  expect(offered('hearth', 'runner', '')).toEqual(expect.arrayContaining(['join', 'list', 'drain']))
  expect(offered('hearth', 'runner', 'drain', '--w')).toEqual(['--wait'])
  expect(offered('hearth', '--url', 'http://x', 'claim', 'shop', '--f')).toEqual(['--fallback'])
})

test('bash offers the values an option may have', () => {
  expect(offered('hearth', 'claim', 'shop', '--fallback', '')).toEqual(['cold', 'refuse'])
  expect(offered('hearth', 'completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']))
})

test('help topics are not offered as commands', () => {
  expect(offered('hearth', 'exit')).toEqual([''])
})

test('fish and zsh know every command too', () => {
  const names = tree.filter(({ path }) => path.length === 1).map(({ path }) => path[0])
  expect(names.length).toBeGreaterThan(15)
  for (const name of names) expect(fishCompletion(tree)).toContain(`-a '${name}'`)
  expect(zshCompletion(tree)).toContain('bashcompinit')
})
