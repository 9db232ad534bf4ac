import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Environment, parseProjectFile, projectDeclarationSchema } from '@hearth/contract'
import { afterAll, expect, test } from 'vitest'
import { installation } from '../installation.ts'
import { chooseClass } from './class.ts'
import { declarationOf, withServedRepository } from './declaration.ts'
import { serveRepositories } from './git-server.ts'
import { gitServerAddress } from './git-server-address.ts'
import { span, startTable } from './measurements.ts'
import { isLocalRepository, repositoryOfFolder, repositoryOfPath } from './repositories.ts'

const folder = mkdtempSync(join(tmpdir(), 'hearth-quickstart-'))
afterAll(() => rmSync(folder, { recursive: true }))
const variables = { PATH: '/usr/bin:/bin', HOME: folder }
const git = (...words: string[]) => execFileSync('git', words, { env: variables, encoding: 'utf8' }).trim()

test('the example is a real repository that guests can clone, and the same files give the same commit', async () => {
  const repositories = join(folder, 'served')
  const source = join(installation.quickstart, 'application')
  const target = { folder: repositories, name: 'application' }
  await repositoryOfFolder(source, target, variables)
  const commit = git('-C', join(repositories, 'application'), 'rev-parse', 'HEAD')
  await repositoryOfFolder(source, target, variables)
  expect(git('-C', join(repositories, 'application'), 'rev-parse', 'HEAD')).toBe(commit)

  const address = await gitServerAddress({ isRoot: true, variables: {} })
  expect(address.opened).toBe(`quickstart=127.0.0.1:${address.port}`)
  const server = await serveRepositories(repositories, {
    address,
    logFile: join(folder, 'git.log'),
    variables,
    listener: { started: () => undefined, note: () => undefined },
    signal: new AbortController().signal,
  })
  try {
    const url = server.url('application')
    expect(url).toMatch(/^git:\/\/10\.0\.2\.2:\d+\/application$/)
    const clone = join(folder, 'clone')
    git('clone', '--quiet', url.replace('10.0.2.2', '127.0.0.1'), clone)
    expect(
      execFileSync('bash', ['-c', './setup.sh && ./test.sh'], { cwd: clone, encoding: 'utf8' }),
    ).toContain('3 passed, 0 failed')
    expect(() => server.url('other')).toThrow()
  } finally {
    await server.stop()
  }
})

test('a repository on this machine is served as a copy with its branches', async () => {
  const source = join(folder, 'mine')
  mkdirSync(source)
  writeFileSync(join(source, 'file'), 'x')
  git('init', '--quiet', '--initial-branch=trunk', source)
  git('-C', source, 'add', '.')
  git('-C', source, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'x')
  expect(isLocalRepository(source)).toBe(true)
  expect(isLocalRepository('https://example.org/mine')).toBe(false)
  await repositoryOfPath(source, { folder: join(folder, 'copies'), name: 'mine' }, variables)
  expect(git('-C', join(folder, 'copies', 'mine'), 'branch', '--list')).toContain('trunk')
})

test('the example file is valid, and only address and class are filled in', () => {
  const { declaration } = parseProjectFile(readFileSync(join(installation.quickstart, 'hearth.yaml'), 'utf8'))
  if (declaration === null) throw new Error('the example has a fault')
  const served = withServedRepository(declaration, {
    url: 'git://10.0.2.2:40001/application',
    environmentClass: 'tiny',
  })
  const whole = projectDeclarationSchema.parse(served)
  expect(whole.repositories).toMatchObject([{ url: 'git://10.0.2.2:40001/application', name: 'application' }])
  expect(whole.repositories[0]?.setup).toHaveLength(1)
  expect(whole.warmPools).toMatchObject([{ environmentClass: 'tiny', min: 2 }])
  expect(projectDeclarationSchema.parse(declaration).warmPools[0]?.environmentClass).toBe('small')
})

test('the user’s own repository becomes a valid project', () => {
  const declaration = declarationOf({
    url: 'https://example.org/Team/Web_Shop.git',
    setup: 'make',
    environmentClass: 'small',
  })
  expect(projectDeclarationSchema.parse(declaration)).toMatchObject({
    name: 'web-shop',
    repositories: [{ name: 'Web_Shop', setup: [{ name: 'make', command: 'make' }] }],
  })
})

test('little memory takes the smallest class, unless one is asked for', () => {
  const gibibyte = 1_024 ** 3
  expect(chooseClass(undefined, 4 * gibibyte)).toBe('tiny')
  expect(chooseClass(undefined, 16 * gibibyte)).toBeUndefined()
  expect(chooseClass('large', 4 * gibibyte)).toBe('large')
})

test.each([
  [[], '-'],
  [[1_200], '1.2 s'],
  [[1_210, 1_190], '1.2 s'],
  [[14_000, 900], '900 ms to 14 s'],
])('%o spans %s', (times, text) => {
  expect(span(times)).toBe(text)
})

const startedAt = Date.parse('2026-11-20T18:07:00Z')
const machine = (
  milliseconds: number,
  steps: Record<string, number | 'held' | 'skipped'>,
  from: 'image' | 'memory' = 'image',
) =>
  ({
    metadata: { createdAt: new Date(startedAt).toISOString() },
    status: {
      startedFrom: { from },
      readyAt: new Date(startedAt + milliseconds).toISOString(),
      steps: Object.entries(steps).map(([name, took]) => ({
        name,
        repository: null,
        phase: typeof took === 'number' ? 'succeeded' : took,
        durationMilliseconds: typeof took === 'number' ? took : null,
      })),
    },
  }) as unknown as Environment

test('starts from image, disk and memory stand side by side, with what each left out', () => {
  const image = { create_vm: 200, ensure_server: 12_000, init_repo: 'skipped', project_setup: 3_000 } as const
  const disk = { create_vm: 250, own_identity: 400, ensure_server: 11_000, project_setup: 'held' } as const
  const members = [machine(16_000, image), machine(18_000, image), machine(900, disk, 'memory')]
  const { columns, rows } = startTable(members, {
    disk: machine(12_000, disk),
    memory: null,
    emptyPoolMilliseconds: 1_900,
  })
  expect(columns).toEqual(['STARTED FROM', 'IMAGE', 'DISK', 'MEMORY'])
  expect(rows).toEqual([
    ['created to ready', '16 s to 18 s', '12 s', '-'],
    ['  create_vm', '200 ms', '250 ms', '-'],
    ['  ensure_server', '12 s', '11 s', '-'],
    ['  project_setup', '3.0 s', 'done before', '-'],
    ['  own_identity', '-', '400 ms', '-'],
    ['claim of an empty pool to first command', '-', '-', '1.9 s'],
  ])
})
