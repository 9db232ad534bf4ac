// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { entering } from './enter.ts'
import { processCommand, releaseScript } from './index.ts'
import { quote } from './quote.ts'
import { exportsOf } from './variables.ts'

const space = { type: 'uat', user: 'app-uat', folder: '/srv/app/uat', port: 8_080 } as const
const app = { runtime: 'python3', database: 'postgres', cache: 'redis' } as const
const release = { space, app, releaseId: '01936d1a-0000-7000-8000-000000000001' }

const hostile = [
  `it's`,
  `'; touch /tmp/owned; '`,
  '$(touch /tmp/owned) `touch /tmp/owned` ${HOME}',
  'line\nEND\nEND_OF_TEXT\nline',
  '\\ \\\\ "double" *?[a] ~ ! # & | < > ( ) { }',
  'ünïcode \u2028 \u{1F980}',
  '-rf',
  '',
]

/** What a shell makes of the last lines, with these in place of the functions that need a machine. */
function wordsOf(text: string): string[] {
  const functions = `take_network() { printf '%s\\0' "$@"; }\nenter() { printf '%s\\0' "$@"; }\n`
  const lines = text.slice(text.lastIndexOf('\ntake_network ') + 1)
  return execFileSync('bash', ['-c', functions + lines], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)
}

test.each(hostile)('%j reaches what runs in a space as it is, as a command and as a value', (text) => {
  const given = {
    space,
    network: 'uat tasks',
    variables: { GIVEN: text },
    folder: quote('/srv'),
    command: text,
  }
  const [network, user, exported, folder, command] = wordsOf(`\n${entering(given)}`)
  expect({ network, user, folder, command }).toEqual({
    network: 'uat tasks',
    user: 'app-uat',
    folder: '/srv',
    command: text,
  })
  const seen = execFileSync('bash', ['-c', `eval "$1"; printf %s "$GIVEN"`, 'bash', exported ?? ''], {
    encoding: 'utf8',
  })
  expect(seen).toBe(text)
})

test('what is no name of a variable, and what no shell can hold, is refused', () => {
  for (const name of ['A B', 'A=1;touch', '1A', '', 'A-B']) {
    expect(() => exportsOf({ [name]: '' })).toThrow('no name of a variable')
  }
  expect(() => releaseScript(release, 'a\0b', {})).toThrow('NUL')
})

test.each([
  { user: 'app uat' },
  { user: '-x' },
  { user: `a';DROP` },
  { folder: '/srv/../etc' },
  { folder: '/srv/$(id)' },
  { folder: 'srv' },
  { port: 0 },
])('a space with %j is refused', (wrong) => {
  expect(() => releaseScript({ ...release, space: { ...space, ...wrong } }, 'true', {})).toThrow(
    /no (user|folder|port)/,
  )
})

test('a release cannot be named so that it leaves its folder', () => {
  for (const releaseId of ['..', '../x', 'a/b', '', '.hidden', "a'b"]) {
    const process = { name: 'web', instance: 1, command: 'true', port: 8_000, variables: {} }
    expect(() => processCommand({ ...release, releaseId }, process)).toThrow("no release's id")
  }
})

test("Hearth's own variables go before those of the space", () => {
  const variables = { PORT: '1', DATABASE_URL: 'elsewhere', SPACE: 'mars', LANG: 'de_DE', EXTRA: 'kept' }
  const process = { name: 'web', instance: 1, command: 'true', port: 8_000, variables }
  const [network, , exported] = wordsOf(processCommand(release, process))
  const seen = execFileSync(
    'bash',
    [
      '-c',
      `eval "$1"; printf '%s\\n' "$PORT" "$DATABASE_URL" "$SPACE" "$LANG" "$EXTRA" "$RELEASE"`,
      'bash',
      exported ?? '',
    ],
    { encoding: 'utf8', env: {} },
  )
  expect(network).toBe(`uat ${release.releaseId} web 1`)
  expect(seen.trim().split('\n')).toEqual([
    '8000',
    'postgresql://app-uat@/app-uat?host=/run/postgresql',
    'uat',
    'de_DE',
    'kept',
    release.releaseId,
  ])
})
