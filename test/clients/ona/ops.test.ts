import { type Client, Code, ConnectError } from '@connectrpc/connect'
import { EnvironmentService } from '@hearth/control-plane/ona/gitpod/v1/environment_pb'
import { FileChange_ChangeType as ChangeType } from '@hearth/control-plane/ona/gitpod/v1/environment_resource_pb'
import { EnvironmentPhase } from '@hearth/control-plane/ona/gitpod/v1/environment_spec_pb'
import { EnvironmentOpsService, WriteMode } from '@hearth/control-plane/ona/supervisor/v1/environmentopts_pb'
import { systemClock } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Format, formats, Ground } from './ground.ts'

/** Commands, files and git in environments, as the newer generation of Ona's SDK calls them: with an access token, at their own address. */
let ground: Ground
let aheadMilliseconds = 0
beforeAll(async () => {
  const clock = { now: () => new Date(systemClock.now().getTime() + aheadMilliseconds) }
  ground = await Ground.start({ overrides: { clock } })
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

interface Opened {
  environmentId: string
  address: string
  accessToken: string
  ops: Client<typeof EnvironmentOpsService>
}

async function open(format: Format = 'binary'): Promise<Opened> {
  const environments = ground.connect(EnvironmentService, format)
  const projectId = await ground.project('quick')
  const { environment } = await environments.createEnvironmentFromProject({ projectId })
  const environmentId = environment?.id ?? ''
  const address = await eventually(
    async () => {
      const seen = await environments.getEnvironment({ environmentId })
      const urls = seen.environment?.status?.environmentUrls
      return seen.environment?.status?.phase === EnvironmentPhase.RUNNING ? (urls?.ops ?? null) : null
    },
    { timeoutMilliseconds: 60_000 },
  )
  const { accessToken } = await environments.createEnvironmentAccessToken({ environmentId })
  const ops = ground.connect(EnvironmentOpsService, format, accessToken, address)
  return { environmentId, address, accessToken, ops }
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const thrown: unknown = await call.then(
    () => null,
    (error: unknown) => error,
  )
  return thrown === null ? 'none' : (Code[ConnectError.from(thrown).code] ?? 'unknown')
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** Runs a command that has to end well. */
async function run({ ops }: Opened, command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await ops.exec({ command })
  expect(exitCode, stderr).toBe(0)
  return stdout
}

const commit = 'git -c user.name=Test -c user.email=test@hearth.example commit --quiet'

describe.each(formats)('EnvironmentOps in %s', (format) => {
  test('runs commands, with both outputs apart, where and as long as is said', async () => {
    const { ops } = await open(format)
    expect(await ops.exec({ command: 'echo out; echo error >&2; exit 7' })).toMatchObject({
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'error\n',
    })
    const { stdout } = await ops.exec({ command: 'pwd', workingDirectory: '/tmp' })
    expect(stdout).toBe('/tmp\n')
    expect(await ops.exec({ command: 'echo begun; sleep 1000', timeoutSeconds: 1 })).toMatchObject({
      exitCode: 124,
      stdout: 'begun\n',
    })
  })

  test('runs an operation once, however often it is asked for', async () => {
    const opened = await open(format)
    const { ops } = opened
    const operation = { operationId: 'build-1', command: 'echo run >>runs; sleep 0.3; echo $RANDOM' }
    const all = await Promise.all([1, 2, 3].map(() => ops.exec(operation)))
    const again = await ops.exec(operation)
    expect(new Set([...all, again].map(({ stdout }) => stdout)).size).toBe(1)
    expect(await run(opened, 'cat runs')).toBe('run\n')
    expect(await codeOf(ops.exec({ ...operation, command: 'true' }))).toBe('InvalidArgument')
  })

  test('reads and writes files, and lists folders', async () => {
    const { ops } = await open(format)
    const path = 'src/deep/ü "1".bin'
    const content = new Uint8Array([0, 1, 254, 255, 10])
    expect(await ops.writeFile({ path, content, mode: WriteMode.CREATE })).toMatchObject({ bytesWritten: 5n })
    await ops.writeFile({ path, content: bytes('more'), mode: WriteMode.APPEND })
    const { result } = await ops.readFile({ path, offset: 3n })
    expect(result.case === 'content' && [...result.value.data]).toEqual([255, 10, ...bytes('more')])
    expect(result.case === 'content' && result.value.totalSize).toBe(9n)
    expect(result.case === 'content' && result.value.contentHash).toMatch(/^[0-9a-f]{64}$/)
    const listed = (await ops.readFile({ path: 'src' })).result
    expect(listed.case === 'directory' && listed.value.entries).toMatchObject([
      { path: 'src/deep', isDirectory: true },
    ])
    expect(await codeOf(ops.readFile({ path: 'none' }))).toBe('NotFound')
    expect(await codeOf(ops.writeFile({ path, mode: WriteMode.CREATE }))).toBe('FailedPrecondition')
    expect(await codeOf(ops.writeFile({ path: 'none', mode: WriteMode.TRUNCATE }))).toBe('NotFound')
  })

  test('tells the status of the repository: branch, commits, and every kind of change with any name', async () => {
    const opened = await open(format)
    const { ops } = opened
    expect(await codeOf(ops.getGitStatus({}))).toBe('FailedPrecondition')
    await run(
      opened,
      'git init --quiet --initial-branch=main; git remote add origin https://user:token@example.org/shop.git',
    )
    await run(opened, 'echo one >file')
    const young = (await ops.getGitStatus({})).status
    expect(young).toMatchObject({
      cloneUrl: 'https://example.org/shop.git',
      branch: 'main',
      latestCommit: '',
      totalUnpushedCommits: 0,
      changedFiles: [{ path: 'file', changeType: ChangeType.UNTRACKED }],
    })
    await run(
      opened,
      `seq 50 >moved; echo x >deleted; echo x >changed; printf 'a\\0b' >binary; git add . && ${commit} -m one`,
    )
    await run(
      opened,
      `git mv moved 'new
name'; rm deleted; echo y >>changed; echo z >added; git add added; mkdir -p sub; echo >'sub/ü "x"'; printf 'a\\0c' >binary`,
    )
    const { status } = await ops.getGitStatus({})
    const head = (await run(opened, 'git rev-parse HEAD')).trim()
    expect(status).toMatchObject({ latestCommit: head, unpushedCommits: [head], totalUnpushedCommits: 1 })
    const changes = status?.changedFiles.map(({ path, changeType, oldPath }) => [path, changeType, oldPath])
    expect(changes?.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))).toEqual([
      ['added', ChangeType.ADDED, ''],
      ['binary', ChangeType.MODIFIED, ''],
      ['changed', ChangeType.MODIFIED, ''],
      ['deleted', ChangeType.DELETED, ''],
      ['new\nname', ChangeType.RENAMED, 'moved'],
      ['sub/ü "x"', ChangeType.UNTRACKED, ''],
    ])
    expect(status?.totalChangedFiles).toBe(6)
    await run(opened, 'git checkout --quiet --detach')
    expect((await ops.getGitStatus({})).status?.branch).toBe('')
  })

  test('tells what has changed in a file, as hunks', async () => {
    const opened = await open(format)
    const { ops } = opened
    await run(opened, 'git init --quiet --initial-branch=main')
    await run(opened, 'seq 30 >numbers')
    const added = await ops.getGitDiff({ path: 'numbers' })
    expect(added).toMatchObject({ fileChange: { changeType: ChangeType.UNTRACKED }, isBinary: false })
    expect(added.hunks).toMatchObject([{ originalLines: 0, newStartLine: 1, newLines: 30, startPosition: 1 }])
    await run(opened, `printf 'a\\0b' >binary; seq 40 >moved; git add . && ${commit} -m one`)
    await run(
      opened,
      `sed -i 's/^3$/three/; s/^28$/-- 28/' numbers; printf 'a\\0c' >binary; git mv moved kept; echo 41 >>kept; printf last >>numbers`,
    )
    const diff = await ops.getGitDiff({ path: 'numbers', unified: 1 })
    expect(diff).toMatchObject({ fileChange: { path: 'numbers', changeType: ChangeType.MODIFIED } })
    expect(diff.hunks.map(({ $typeName: _, $unknown: __, ...hunk }) => hunk)).toEqual([
      {
        ...{ originalStartLine: 2, originalLines: 3, newStartLine: 2, newLines: 3 },
        ...{ originalNoNewlineAt: 0, section: '', startPosition: 1, body: ' 2\n-3\n+three\n 4\n' },
      },
      {
        ...{ originalStartLine: 27, originalLines: 4, newStartLine: 27, newLines: 5 },
        ...{ originalNoNewlineAt: 0, section: expect.any(String), startPosition: 6 },
        body: ' 27\n-28\n+-- 28\n 29\n 30\n+last',
      },
    ])
    expect(await ops.getGitDiff({ path: 'binary' })).toMatchObject({ isBinary: true, hunks: [] })
    const renamed = await ops.getGitDiff({ path: 'kept' })
    expect(renamed.fileChange).toMatchObject({ changeType: ChangeType.RENAMED, oldPath: 'moved' })
    expect(renamed.hunks).toMatchObject([{ body: ' 38\n 39\n 40\n+41\n' }])
    await run(opened, `git add . && ${commit} -m two`)
    expect((await ops.getGitDiff({ path: 'kept' })).hunks).toEqual([])
    const since = await ops.getGitDiff({ path: 'kept', baseRef: 'HEAD~1' })
    expect(since.fileChange?.changeType).toBe(ChangeType.RENAMED)
    for (const baseRef of ['none', '--output=/home/evil'])
      expect(await codeOf(ops.getGitDiff({ path: 'kept', baseRef }))).toBe('FailedPrecondition')
  })
})

test('a command is ended with the time that Connect gives it', async () => {
  const opened = await open()
  const late = opened.ops.exec({ command: 'echo $$ >pid; sleep 1000' }, { timeoutMs: 1_500 })
  expect(await codeOf(late)).toBe('DeadlineExceeded')
  const state = 'read -r _ _ state _ <"/proc/$(cat pid)/stat" && [ "$state" != Z ]'
  await eventually(async () => (await opened.ops.exec({ command: state })).exitCode !== 0, {
    timeoutMilliseconds: 20_000,
  })
})

test('what a repository’s own settings would run is not run, and a diff above the bound is refused', async () => {
  const opened = await open()
  const { ops } = opened
  await run(opened, 'git init --quiet; echo a >file; seq 400000 >large; git add .')
  await run(opened, `${commit} -m one; echo b >>file; seq 400000 | tac >large`)
  await run(
    opened,
    `printf '#!/bin/sh\\necho ran >>/home/ran\\n' >evil; chmod +x evil; for key in core.fsmonitor diff.external core.pager diff.x.textconv; do git config $key /home/evil; done; echo 'file diff=x' >.gitattributes`,
  )
  expect((await ops.getGitStatus({})).status?.totalChangedFiles).toBeGreaterThan(1)
  expect((await ops.getGitDiff({ path: 'file' })).hunks).toMatchObject([{ body: ' a\n+b\n' }])
  expect(await codeOf(ops.getGitDiff({ path: 'large' }))).toBe('FailedPrecondition')
  expect((await ops.exec({ command: 'cat ran' })).exitCode).toBe(1)
  expect((await ops.getGitDiff({ path: ':(top)file' })).hunks).toEqual([])
})

describe('an access token', () => {
  test('opens its own environment only, and nothing but its operations', async () => {
    const [one, other] = await Promise.all([open(), open()])
    const crossed = ground.connect(EnvironmentOpsService, 'binary', one.accessToken, other.address)
    expect(await codeOf(crossed.exec({ command: 'true' }))).toBe('PermissionDenied')
    const outside = ground.connect(EnvironmentService, 'binary', one.accessToken)
    expect(await codeOf(outside.getEnvironment({ environmentId: one.environmentId }))).toBe('Unauthenticated')
    for (const token of ['junk', ground.installation.token, one.accessToken.slice(0, -2)]) {
      const wrong = ground.connect(EnvironmentOpsService, 'JSON', token, one.address)
      expect(await codeOf(wrong.exec({ command: 'true' }))).toBe('Unauthenticated')
    }
    const logs = await ground.connect(EnvironmentService).createEnvironmentLogsToken({
      environmentId: one.environmentId,
    })
    const mistaken = ground.connect(EnvironmentOpsService, 'binary', logs.accessToken, one.address)
    expect(await codeOf(mistaken.exec({ command: 'true' }))).toBe('Unauthenticated')
  })

  test('ends with whoever made it, and is made by nobody who may not enter', async () => {
    const { environmentId, address } = await open()
    const made = await ground.native.tokens.create({ name: 'short-lived', roles: ['administrator'] })
    const environments = ground.connect(EnvironmentService, 'binary', made.secret)
    const { accessToken } = await environments.createEnvironmentAccessToken({ environmentId })
    const ops = ground.connect(EnvironmentOpsService, 'binary', accessToken, address)
    expect((await ops.exec({ command: 'true' })).exitCode).toBe(0)
    await ground.native.tokens.delete(made.id)
    expect(await codeOf(ops.exec({ command: 'true' }))).toBe('Unauthenticated')
    const viewer = await ground.native.tokens.create({ name: 'viewer', roles: ['viewer'] })
    const others = ground.connect(EnvironmentService, 'binary', viewer.secret)
    expect(await codeOf(others.createEnvironmentAccessToken({ environmentId }))).toBe('PermissionDenied')
  })

  test('is good for an hour', async () => {
    const { ops } = await open()
    aheadMilliseconds = 3_590_000
    expect((await ops.exec({ command: 'true' })).exitCode).toBe(0)
    aheadMilliseconds = 3_610_000
    expect(await codeOf(ops.exec({ command: 'true' }))).toBe('Unauthenticated')
    aheadMilliseconds = 0
  })
})

test('what breaks a rule is refused with the field, and what there is not is unimplemented', async () => {
  const { ops, address, accessToken, environmentId } = await open()
  const refused: [() => Promise<unknown>, string][] = [
    [() => ops.exec({ command: '' }), 'command'],
    [() => ops.exec({ command: 'true', timeoutSeconds: -1 }), 'timeoutSeconds'],
    [() => ops.exec({ command: 'true', timeoutSeconds: 100_000 }), 'timeoutSeconds'],
    [() => ops.exec({ command: 'true', operationId: 'x'.repeat(300) }), 'operationId'],
    [() => ops.readFile({ path: '' }), 'path'],
    [() => ops.readFile({ path: 'x', offset: -1n }), 'offset'],
    [() => ops.writeFile({ path: 'x', mode: 9 as WriteMode }), 'mode'],
    [() => ops.getGitDiff({ path: '', unified: 1 }), 'path'],
    [() => ops.getGitDiff({ path: 'x', unified: -1 }), 'unified'],
  ]
  for (const [call, field] of refused) {
    const error = await call().then(
      () => null,
      (thrown: unknown) => ConnectError.from(thrown),
    )
    expect([field, error?.code], String(error?.message)).toEqual([field, Code.InvalidArgument])
    expect(error?.message).toContain(field)
  }
  const post = (path: string) =>
    fetch(path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
      body: '{}',
    })
  for (const method of [
    'supervisor.v1.EnvironmentOpsService/CreateTerminal',
    'gitpod.v1.ProjectService/ListProjects',
  ]) {
    const answer = await post(`${address}/${method}`)
    expect([answer.status, await answer.json()]).toMatchObject([501, { code: 'unimplemented' }])
  }
  await ground.native.environments.update(environmentId, { spec: { desiredPhase: 'stopped' } })
  expect(await codeOf(ops.exec({ command: 'true' }))).toBe('FailedPrecondition')
})
