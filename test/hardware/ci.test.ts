import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Claim } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hearth, startHearth } from '../system/command.ts'
import { until } from '../system/following.ts'
import { newPublicKey } from '../system/public-key.ts'
import { run } from './command.ts'
import { gitEnvironment, makeRepository } from './git-server.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { untilDeleted, untilReady } from './waiting.ts'

/** Commands in a real guest, and a project's tasks with the commit that is checked out here. */
let host: HardwareHost
let agent: HardwareAgent
let claim: Claim

const projectFile = `apiVersion: hearth/v1
name: shop
tasks:
  build: { command: 'mkdir -p out/deep && cp version out/deep/version && echo built' }
  test: { command: 'echo "version $(cat version)"; grep -q good version || exit 3', dependsOn: [build], artifacts: ['out/**'] }
  slow: { command: 'echo begun >>/root/begun; sleep 20; echo over; exit 5' }
warmPools: [{ environmentClass: guest, min: 1 }]
`

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  agent = await host.startAgent('ci')
  await createGuestClass(host.client, 'guest', 'debian-12')
  await makeRepository(join(host.folder, 'git'), 'shop', { 'hearth.yaml': projectFile, version: 'good\n' })
  await chmod(join(host.folder, 'git'), 0o755)
  const up = await hearth(host.installation, 'apply', '-f', join(work(), 'hearth.yaml'))
  expect(up.status, up.stderr).toBe(0)
  const [pool] = (await host.client.warmPools.list({})).items
  await untilReady(host.client, pool?.metadata.id ?? '')
  claim = await host.client.claims.create({ spec: { project: 'shop', publicKey: newPublicKey() } })
  // No other guest boots on these processors meanwhile.
  await host.client.warmPools.update(pool?.metadata.id ?? '', { spec: { min: 0 } })
})
afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

const work = () => join(host.folder, 'git', 'work')
const git = (...words: string[]) => run(['git', ...words], { cwd: work(), env: gitEnvironment })
const hearthCi = (...words: string[]) =>
  hearth(
    host.installation,
    'ci',
    '-f',
    join(work(), 'hearth.yaml'),
    '--artifacts',
    join(host.folder, 'artifacts'),
    ...words,
  )
const onClaim = () => ['--claim', claim.metadata.name]

async function commitVersion(version: string): Promise<void> {
  await writeFile(join(work(), 'version'), `${version}\n`)
  await git('commit', '--quiet', '--all', '--message', version)
}

describe('hearth run on a real guest', () => {
  it('passes output and exit status on, and is not slow', async () => {
    const good = await hearth(
      host.installation,
      'run',
      claim.metadata.name,
      '--',
      'echo one; echo two >&2; exit 4',
    )
    expect([good.status, good.stdout]).toEqual([4, 'one\ntwo\n'])
    const began = performance.now()
    expect((await hearth(host.installation, 'run', claim.metadata.name, '--', 'true')).status).toBe(0)
    console.info(`hearth run -- true took ${(performance.now() - began).toFixed(0)} ms`)
  })

  it('keeps what a command does that reads its input, prints binary, backgrounds itself or ignores its end', async () => {
    const inGuest = (command: string) => hearth(host.installation, 'run', claim.metadata.name, '--', command)
    expect((await inGuest('read line; echo "read $?"')).stdout).toBe('read 1\n')
    expect((await inGuest("printf 'a\\0b\\377'")).stdout).toContain('a')
    expect((await inGuest('sleep 1000 & echo left')).status).toBe(0)
    const late = await hearth(
      host.installation,
      ...['run', claim.metadata.name, '--deadline', '3s', '--', "trap '' TERM; while :; do sleep 1; done"],
    )
    expect(late.status).toBe(124)
    expect((await inGuest('pgrep -x sleep; echo "left $?"')).stdout).toBe('left 1\n')
  })
})

describe('hearth ci on a real guest', () => {
  it('brings the commit that is checked out here, runs its tasks, and copies what they made', async () => {
    const good = await hearthCi('test', ...onClaim(), '--junit', join(host.folder, 'results.xml'))
    expect(good.status, good.stderr).toBe(0)
    expect(good.stdout).toMatch(
      /==> build\nbuilt\nbuild succeeded after .*\n==> test\nversion good\ntest succeeded after/,
    )
    expect(await readFile(join(host.folder, 'artifacts/test/out/deep/version'), 'utf8')).toBe('good\n')
    expect(await readFile(join(host.folder, 'results.xml'), 'utf8')).toContain('tests="2" failures="0"')
  })

  it('ends as the test that fails, shows its lines, and leaves nothing', async () => {
    await commitVersion('bad')
    const bad = await hearthCi('test')
    expect(bad.status, bad.stderr).toBe(3)
    expect(bad.stdout).toContain('version bad\ntest failed after')
    const [session] = (await host.client.sessions.list({})).items.slice(-1)
    expect(session?.status).toMatchObject({ phase: 'ended', done: true })
    expect(session?.status.error).toContain('exit code 3')
    const environmentId = session?.spec.environmentId ?? ''
    await untilDeleted(host.client, environmentId)
    const left = async () => {
      const claims = await host.client.claims.listAll({})
      return claims.filter(({ status }) => status.phase === 'bound').map(({ metadata }) => metadata.name)
    }
    // A claim is over as soon as it is seen that its machine is gone.
    await eventually(async () => (await left()).length === 1, { timeoutMilliseconds: 30_000 })
    expect(await left()).toEqual([claim.metadata.name])
  })

  it('refuses what is in no commit, and brings it when it is asked to', async () => {
    await writeFile(join(work(), 'version'), 'good, but in no commit\n')
    await writeFile(join(work(), 'new'), 'new\n')
    const refused = await hearthCi('test', ...onClaim())
    expect([refused.status, refused.stderr]).toEqual([4, expect.stringContaining('bring them with --dirty')])
    const dirty = await hearthCi('test', '--dirty', ...onClaim())
    expect(dirty.status, dirty.stderr).toBe(0)
    expect(dirty.stdout).toContain('version good, but in no commit')
    expect(await run(['git', 'status', '--porcelain'], { cwd: work(), env: gitEnvironment })).toContain(
      '?? new',
    )
    await git('checkout', '--quiet', '--', 'version')
    await run(['rm', join(work(), 'new')])
  })

  it('runs once and ends with the right status, whoever is killed in the middle: the caller, the agent', async () => {
    const { client, installation } = host
    const words = ['ci', 'slow', '-f', join(work(), 'hearth.yaml'), ...onClaim()]
    const caller = startHearth(installation, words)
    const running = await until(
      client,
      'the task',
      () => client.tasks.list({ name: 'ci-slow' }),
      ({ items }) => items.some(({ status }) => status.phase === 'running'),
    )
    expect(running.items[0]?.status.runs).toBe(1)
    caller.process.kill('SIGKILL')
    await agent.process.kill()
    await agent.process.start()
    const [session] = (await client.sessions.list({ phase: 'open' })).items
    const attached = await hearth(installation, 'ci', 'attach', session?.metadata.name ?? '', '--keep')
    expect([attached.status, attached.stdout]).toEqual([
      5,
      expect.stringContaining('over\nci-slow failed after'),
    ])
    const begun = await hearth(installation, 'run', claim.metadata.name, '--', 'cat /root/begun')
    expect(begun).toEqual({ status: 0, stdout: 'begun\n', stderr: '' })
    const [task] = (await client.tasks.list({ name: 'ci-slow' })).items
    expect(task?.status).toMatchObject({ runs: 1, run: { exitCode: 5 } })
  })
})
