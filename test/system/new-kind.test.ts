import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** `pnpm new-kind example` in a scratch clone: it writes a working kind that is refused until it has tests. */
const root = join(import.meta.dirname, '../..')
const workspaces = [
  ...['foundation', 'contract', 'messaging', 'client', 'embedded', 'testing', 'cli'].map(
    (name) => `packages/${name}`,
  ),
  'control-plane',
  'runner-agent',
  'test',
]
let clone: string

interface Ended {
  status: number
  output: string
}

/** Runs a tool in the clone, and returns its result even if it fails. */
async function run(program: string, ...parameters: string[]): Promise<Ended> {
  return promisify(execFile)(program, parameters, { cwd: clone, maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ status: 0, output: stdout + stderr }),
    (error: { code?: number; stdout?: string; stderr?: string }) => ({
      status: error.code ?? 1,
      output: `${error.stdout ?? ''}${error.stderr ?? ''}`,
    }),
  )
}
const tool = (name: string, ...parameters: string[]) => run(join('node_modules/.bin', name), ...parameters)

beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'hearth-new-kind-'))
  const { stdout } = await promisify(execFile)('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  })
  for (const path of stdout.split('\0').filter((name) => name !== ''))
    await cp(join(root, path), join(clone, path), { verbatimSymlinks: true }).catch(goneIsFine)
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'))
  for (const workspace of workspaces)
    await cp(join(root, workspace, 'node_modules'), join(clone, workspace, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    })
  await run('git', 'init', '--quiet')
  await run('git', 'add', '--all')
  // What is made of the dialects' .proto files is not in git.
  expect(await run(process.execPath, 'scripts/protocols.mjs')).toMatchObject({ status: 0 })
}, 120_000)
afterAll(() => rm(clone, { recursive: true, force: true }))

/** Deleted in the working tree, but not yet in the index. */
function goneIsFine(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

test('writes the files of the kind, and changes only the generated lists elsewhere', async () => {
  const written = await run(process.execPath, 'scripts/new-kind.mjs', 'example')
  expect(written).toMatchObject({ status: 0 })
  const { output } = await run('git', 'diff', '--name-only')
  const changed = output.split('\n').filter((path) => path !== '')
  const byHand = await Promise.all(
    changed.map(async (path) => !(await readFile(join(clone, path), 'utf8')).startsWith('// Written by')),
  )
  expect(changed.length).toBeGreaterThan(0)
  expect(changed.filter((_, index) => byHand[index])).toEqual([])
})

test.each([
  ['example', 'there is a kind example already'],
  ['Example', 'the name must be lower-case words'],
  ['examples', 'the name must be the singular'],
])('refuses %s', async (name, sentence) => {
  const { status, output } = await run(process.execPath, 'scripts/new-kind.mjs', name)
  expect(status).toBe(2)
  expect(output).toContain(sentence)
})

test('is refused by test/structure until its tests are written', async () => {
  const { status, output } = await tool('vitest', 'run', '--project', 'structure', 'kinds')
  expect(status).not.toBe(0)
  for (const name of ['decide', 'decide.property', 'reconcile', 'routes'])
    expect(output).toContain(`control-plane/src/kinds/example/${name}.test.ts`)
  expect(output).toMatch(/Tests .*1 failed/)
})

test('has the types it says, works over HTTP, in OpenAPI, in events and on the command line', async () => {
  expect(await tool('tsc', '-b')).toEqual({ status: 0, output: '' })
  expect(await run(process.execPath, 'scripts/build.mjs')).toMatchObject({ status: 0 })
  await cp(
    join(clone, 'test/system/example-kind.fixture.ts'),
    join(clone, 'test/system/example-kind.test.ts'),
  )
  const { status, output } = await tool('vitest', 'run', '--project', 'system', 'example-kind')
  expect(output).toMatch(/Tests .*3 passed/)
  expect(status).toBe(0)
}, 300_000)
