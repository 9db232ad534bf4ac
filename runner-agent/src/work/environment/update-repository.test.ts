import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cloneCommand } from './clone.ts'
import { updateScript } from './update-repository.ts'

let folder: string
let origin: string
let clone: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearth it's updated "))
  origin = join(folder, 'origin')
  clone = join(folder, 'clone')
  mkdirSync(origin)
  git(origin, 'init -q --initial-branch=main')
  commit('package.json', '1')
  commit('read.me', 'first')
  git(folder, 'clone -q -- origin clone')
})
afterEach(() => rmSync(folder, { recursive: true }))

function bash(at: string, script: string) {
  const identity = {
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  }
  return spawnSync('bash', ['-c', script], {
    cwd: at,
    encoding: 'utf8',
    env: { ...process.env, ...identity },
  })
}
function git(at: string, words: string): string {
  const { status, stderr, stdout } = bash(at, `git ${words}`)
  expect(status, `git ${words}: ${stderr}`).toBe(0)
  return stdout.trim()
}
function commit(file: string, content: string): void {
  writeFileSync(join(origin, file), content)
  git(origin, `add . && git commit -q -m '${file} ${content}'`)
}
const update = (branch: string | null = null) =>
  bash(folder, updateScript({ folder: clone, url: origin, branch, options: '' }))
const put = (file: string, content: string) => writeFileSync(join(clone, file), content)
const read = (file: string) => readFileSync(join(clone, file), 'utf8')
const isAt = (reference: string) =>
  expect(git(clone, 'rev-parse HEAD')).toBe(git(origin, `rev-parse '${reference}^{commit}'`))

test('new commits arrive; what the set-up built and changed stays where nothing is in its way', () => {
  put('built.o', 'kept')
  put('package.json', '1 and what the set-up added')
  commit('read.me', 'second')
  const { status, stderr } = update()
  expect(status, stderr).toBe(0)
  isAt('main')
  expect([read('read.me'), read('built.o'), read('package.json')]).toEqual([
    'second',
    'kept',
    '1 and what the set-up added',
  ])
  expect(git(clone, 'status --short --branch')).toContain('## main...origin/main')
})

test('changes that stand in the way are dropped and named', () => {
  put('package.json', 'changed by the set-up')
  put('built.o', 'kept')
  commit('package.json', '2')
  const { status, stdout, stderr } = update()
  expect(status, stderr).toBe(0)
  expect(stdout).toContain(' M package.json')
  isAt('main')
  expect([read('package.json'), read('built.o')]).toEqual(['2', 'kept'])
  expect(git(clone, 'rev-parse --abbrev-ref @{upstream}')).toBe('origin/main')
})

test('a folder that git does not track gives way to a file of the branch', () => {
  mkdirSync(join(clone, 'dist'))
  put('dist/built.o', 'lost')
  commit('dist', 'a file now')
  expect(update().status).toBe(0)
  expect(read('dist')).toBe('a file now')
})

test('a history that was rewritten works, also in the middle of a merge that was frozen with its lock', () => {
  git(origin, 'branch other HEAD~1 && git checkout -q other')
  commit('read.me', 'other')
  expect(update('other').status).toBe(0)
  expect(bash(clone, 'git merge origin/main').status).not.toBe(2)
  git(origin, 'checkout -q main && git reset -q --hard HEAD~1')
  commit('read.me', 'rewritten')
  put('read.me', 'half merged')
  writeFileSync(join(clone, '.git/index.lock'), '')
  const { status, stderr } = update('main')
  expect(status, stderr).toBe(0)
  isAt('main')
  expect(read('read.me')).toBe('rewritten')
})

test('another branch, another default branch, and a tag', () => {
  git(origin, 'checkout -q -b next')
  commit('read.me', 'next')
  git(origin, 'tag v1')
  expect(update('next').status).toBe(0)
  isAt('next')
  // HEAD of the origin says which branch is its default.
  git(origin, 'branch -q -D main')
  expect(update().status).toBe(0)
  expect(git(clone, 'branch --show-current')).toBe('next')
  commit('read.me', 'later')
  git(origin, 'tag --force v1')
  expect(update('v1').status).toBe(0)
  isAt('v1')
  expect(git(clone, 'branch --show-current')).toBe('')
  git(origin, 'checkout -q --detach HEAD~1')
  expect(update().status).toBe(0)
  isAt('HEAD')
})

test('what is up to date is left alone', () => {
  put('package.json', 'changed by the set-up')
  const { status, stdout } = update()
  expect([status, stdout]).toEqual([0, expect.stringContaining('Already at ')])
  expect(read('package.json')).toBe('changed by the set-up')
})

test('a branch that is not there fails with its name, and so does a default branch that is missing', () => {
  expect(update("it's gone")).toMatchObject({
    status: 128,
    stderr: expect.stringContaining("fatal: Remote branch it's gone not found"),
  })
  git(origin, 'checkout -q --detach && git branch -q -m main trunk && git symbolic-ref HEAD refs/heads/main')
  expect(update()).toMatchObject({ status: 1, stderr: expect.stringContaining('\n  trunk\n') })
})

test('the step of a machine from a snapshot clones where the folder is gone', () => {
  const repository = { url: origin, name: 'shop', branch: 'main', setup: [] }
  const { name, command } = cloneCommand(repository, true)
  expect(name).toBe(`git fetch ${origin}`)
  const here = command.replaceAll("'/home/shop'", "'shop'")
  for (const attempt of ['cloned', 'updated']) {
    const { status, stderr } = bash(folder, here)
    expect(status, `${attempt}: ${stderr}`).toBe(0)
    expect(existsSync(join(folder, 'shop/.git'))).toBe(true)
  }
})
