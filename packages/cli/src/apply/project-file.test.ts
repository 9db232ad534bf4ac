import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CommandError } from '../exit-codes.ts'
import { readProjectFile } from './project-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'hearth-project-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(text: string): string {
  const path = join(folder, 'hearth.yaml')
  writeFileSync(path, text)
  return path
}

function errorOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('it was accepted')
}

test('all errors are reported at once, with file, line and column, and exit status 2', () => {
  const path = fileWith('apiVersion: hearth/v1\nname: shop\nsetpu: []\nwarmPools:\n  - min: -1\n')
  const error = errorOf(() => readProjectFile(path))
  expect(error).toBeInstanceOf(CommandError)
  const { message, exitCode } = error as CommandError
  expect(exitCode).toBe(2)
  const lines = message.split('\n')
  expect(lines).toHaveLength(2)
  expect(lines.find((line) => line.includes('setpu'))).toMatch(/hearth\.yaml:3:1: setpu: /)
  expect(lines.find((line) => line.includes('min'))).toMatch(/hearth\.yaml:5:5: warmPools\.0\.min: /)
})

test('text that is not YAML is reported with its line and column', () => {
  const error = errorOf(() => readProjectFile(fileWith('name: [shop\n')))
  expect((error as CommandError).message).toMatch(/hearth\.yaml:\d+:\d+: /)
})

const head = 'apiVersion: hearth/v1\nname: shop\n'
const bomb = `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
`
/** Invalid project files, with the line and column in the error. */
const faults: [text: string, place: string, said: string][] = [
  [`${head}setup: *nope\n`, '3:8', 'quote it: "*nope"'],
  [`${head}variables:\n  GLOB: *.js\n`, '4:9', 'quote it: "*.js"'],
  [`${head}setup: [a, *b]\n`, '3:12', '*b names nothing'],
  [`${head}setup:\n\t- make\n`, '4:1', ''],
  [`${head}name: again\n`, '3:1', 'unique'],
  [`${head}setup: !odd make\n`, '3:8', 'quote it'],
  [`${head}variables: {A: "x\n`, '4:1', ''],
  [`${head}setup: @make\n`, '3:8', ''],
  [`${head}variables: {A: %x}\n`, '3:16', ''],
  [`${head}---\nname: other\n`, '3:1', ''],
  [bomb, '1:1', ''],
  ['x'.repeat(1_100_000), '1:1', 'larger than'],
  ['', '1:1', ''],
  ['- a\n', '1:1', ''],
]
test.each(faults)('%.60j is reported at its place, as bad input', (text, place, said) => {
  const error = errorOf(() => readProjectFile(fileWith(text)))
  expect(error).toBeInstanceOf(CommandError)
  const { message, exitCode } = error as CommandError
  expect(exitCode).toBe(2)
  expect(message).toContain(`hearth.yaml:${place}: `)
  expect(message).toContain(said)
})

test('a missing file is bad input, and the message names it', () => {
  const error = errorOf(() => readProjectFile(join(folder, 'absent.yaml')))
  expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining('absent.yaml') })
})

test('a good file is taken as it is written', () => {
  const path = fileWith('apiVersion: hearth/v1\nname: shop\nsetup: [make]\n')
  expect(readProjectFile(path)).toEqual({ apiVersion: 'hearth/v1', name: 'shop', setup: ['make'] })
})
