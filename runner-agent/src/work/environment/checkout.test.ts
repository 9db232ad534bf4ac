import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkoutCommand, checkoutScript, missingReferenceExit } from './checkout.ts'

let folder: string
let origin: string
let clone: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearth it's checked out "))
  origin = join(folder, 'origin')
  clone = join(folder, 'clone')
  git(folder, 'init -q --initial-branch=main origin')
  commit('1')
  git(folder, 'clone -q -- origin clone')
})
afterEach(() => rmSync(folder, { recursive: true }))

function bash(at: string, script: string) {
  const name = {
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  }
  return spawnSync('bash', ['-c', script], { cwd: at, encoding: 'utf8', env: { ...process.env, ...name } })
}
function git(at: string, words: string): string {
  const { status, stderr, stdout } = bash(at, `git ${words}`)
  expect(status, `git ${words}: ${stderr}`).toBe(0)
  return stdout.trim()
}
function commit(content: string): string {
  writeFileSync(join(origin, 'file'), content)
  git(origin, `add . && git commit -q -m '${content}'`)
  return git(origin, 'rev-parse HEAD')
}
/** A commit made after the clone, on a branch of its own. */
function elsewhere(branch: string): string {
  git(origin, `checkout -q -b '${branch}'`)
  const id = commit(branch)
  git(origin, 'checkout -q main')
  return id
}
const checkout = (reference: string, url = origin) =>
  bash(folder, checkoutScript({ folder: clone, url, name: 'shop', reference, options: '' }))
function expectAt(commitId: string, { status, stderr, stdout }: ReturnType<typeof bash>): void {
  expect(status, stderr + stdout).toBe(0)
  expect(git(clone, 'rev-parse HEAD')).toBe(commitId)
  expect(git(clone, 'status --porcelain --untracked-files=no')).toBe('')
}

test('a branch that came after the clone is checked out and followed', () => {
  const id = elsewhere('feature/it')
  expectAt(id, checkout('feature/it'))
  expect(git(clone, 'symbolic-ref HEAD')).toBe('refs/heads/feature/it')
  expect(git(clone, 'rev-parse --abbrev-ref @{upstream}')).toBe('origin/feature/it')
  // Again, as after an agent that was killed.
  expectAt(id, checkout('feature/it'))
})

test('a tag, a whole commit id, the beginning of one, and a commit of no branch that was cloned', () => {
  const id = elsewhere('later')
  git(origin, `tag -a v1 -m v1 ${id}`)
  expectAt(id, checkout('v1'))
  const other = elsewhere('latest')
  expectAt(other, checkout(other))
  expectAt(id, checkout(id.slice(0, 9)))
  expect(bash(clone, 'git symbolic-ref -q HEAD').status).toBe(1)
})

test.each(['pull', 'merge-requests'])('a pull request by its number, as refs/%s has it', (kind) => {
  const id = elsewhere('theirs')
  git(origin, `update-ref refs/${kind}/12/head ${id} && git branch -q -D theirs`)
  expectAt(id, checkout('pull/12'))
})

test('a branch that is named like a pull request, like a commit, or like a tag', () => {
  expectAt(elsewhere('pull/7'), checkout('pull/7'))
  expectAt(elsewhere('abcdef1'), checkout('abcdef1'))
  git(origin, 'tag both main')
  expectAt(elsewhere('both'), checkout('refs/heads/both'.slice('refs/heads/'.length)))
})

test('what set-up changed is dropped where it is in the way, with its name; what git does not track stays', () => {
  const id = elsewhere('next')
  writeFileSync(join(clone, 'file'), 'changed by set-up')
  writeFileSync(join(clone, 'built'), 'kept')
  const done = checkout('next')
  expectAt(id, done)
  expect(done.stdout).toContain(' M file')
  expect(readFileSync(join(clone, 'built'), 'utf8')).toBe('kept')
})

test.each(['nope', 'pull/99', 'deadbee', 'f'.repeat(40)])(
  '%s is missing, by name, and nothing is changed',
  (reference) => {
    const before = git(clone, 'rev-parse HEAD')
    const { status, stderr } = checkout(reference)
    expect(status).toBe(missingReferenceExit)
    expect(stderr).toContain(`The repository shop has no branch, tag, commit or pull request "${reference}".`)
    expect(git(clone, 'rev-parse HEAD')).toBe(before)
  },
)

test('a repository that does not answer is not one that lacks the branch', () => {
  const { status, stdout } = checkout('main', join(folder, 'nothing here'))
  expect([0, missingReferenceExit]).not.toContain(status)
  expect(stdout).toContain('nothing here')
})

test('credentials are used as for the clone, and removed', () => {
  const { name, command } = checkoutCommand(
    { url: 'https://git.example/shop.git', name: 'shop', branch: null, token: 'TOKEN', setup: [] },
    'next',
  )
  expect(name).toBe('git checkout next of shop')
  expect(command).toContain('rm -f -- ')
  expect(command).toContain('credential.helper=')
})
