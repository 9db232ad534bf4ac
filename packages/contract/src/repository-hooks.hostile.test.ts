import { expect, test } from 'vitest'
import { leastProcessorMilliseconds } from './processor-time.fixture.ts'
import { type RepositoryHooks, readRepository } from './repository-hooks.ts'

const of = (text: string) =>
  readRepository({ hearth: `apiVersion: hearth/v1\n${text}`, script: null, capy: null }).hooks
const fault = { kind: 'fault', file: 'hearth.yaml' } as const
const sixteenTimes = Array.from({ length: 16 }, (_, n) => n)
/** Repeats the part to about the largest size of a file that is read from a guest. */
const much = (part: string) => part.repeat(Math.floor(65_000 / part.length))

/** Contents of a repository's hearth.yaml. Each is an error of the repository, and is found within milliseconds. */
const files: [what: string, text: string, seen: Partial<RepositoryHooks>][] = [
  ['aliases of aliases', bomb(), fault],
  ['an alias of itself', 'hooks: &a {init: [*a]}', fault],
  ['an alias of nothing', 'setup: *nope', fault],
  ['what looks like an alias', 'GLOB: *.js', fault],
  ['lists in lists', `hooks: ${much('[')}`, fault],
  ['lists in lists that end', `hooks: ${'['.repeat(30_000)}${']'.repeat(30_000)}`, fault],
  ['maps in maps', `hooks: ${much('{a: ')}`, fault],
  ['items in items', much('- '), fault],
  ['keys of keys', much('? '), fault],
  ['a few keys of keys', '? '.repeat(100), fault],
  ['keys of keys in lists', `hooks: [${'? '.repeat(100)}`, fault],
  ['values of values', much(': '), fault],
  ['tags upon tags', `hooks: ${much('!!a ')}`, fault],
  ['anchors upon anchors', `hooks: ${much('&a ')}`, fault],
  ['merges in merges', much('<<: '), fault],
  ['8,000 keys', Array.from({ length: 8_000 }, (_, n) => `k${n}: 1`).join('\n'), fault],
  ['8,000 unknown hooks', `hooks: {${Array.from({ length: 8_000 }, (_, n) => `k${n}: 1`).join(',')}}`, fault],
  ['the same key again and again', much('hooks: 1\n'), fault],
  ['30,000 commands', `hooks: {init: [${much('x,')}]}`, fault],
  ['65 commands', `hooks: {init: [${'x,'.repeat(65)}]}`, fault],
  ['documents without end', much('---\n'), fault],
  ['an open quote', `hooks: "${much('a\n')}`, fault],
  ['control characters', 'hooks: {\u001b]0;owned\u0007: \u009b2J}', fault],
  ['NUL', 'hooks: "\u0000"', fault],
  [
    'bytes that are no UTF-8',
    Buffer.from([0x68, 0x6f, 0x6f, 0x6b, 0x73, 0x3a, 0x20, 0xff, 0xfe]).toString(),
    fault,
  ],
  ['one long command', `hooks: {init: ["${'x'.repeat(60_000)}"]}`, { kind: 'commands' }],
  [
    'a real one with a script of many words',
    `hooks:\n  init:\n    - command: |\n${'        for x in {a,b,c}; do echo "[$x]: ? - &a !b"; done\n'.repeat(500)}      name: long\n`,
    { kind: 'commands' },
  ],
]
test.each(files)('%s', (_, text, seen) => {
  const hooks = of(text)
  expect(hooks).toMatchObject(seen)
  if (hooks.kind === 'fault') {
    expect(hooks.message.length).toBeLessThanOrEqual(1_000)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal obeys them
    expect(hooks.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  }
  expect(leastProcessorMilliseconds(() => of(text))).toBeLessThan(150)
})

function bomb(): string {
  const lines = sixteenTimes.map((n) => `a${n}: &a${n} [${n === 0 ? 'lol' : `*a${n - 1},`.repeat(9)}]`)
  return `${lines.join('\n')}\nhooks: *a15\n`
}
