import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Claim, Connection, WarmPool } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './command.ts'
import { type GitServer, gitEnvironment, serveRepository } from './git-server.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { everythingIn } from './messages.ts'
import { type KeyPair, newKeyPair, secureShell } from './secure-shell.ts'
import { untilEnvironment, untilReady } from './waiting.ts'

/** The limit that an emulated guest has from the request to the claim that is bound, where nothing else runs. */
const boundMilliseconds = 3_000
/** Where something does, what one command over SSH takes beside it says how slow everything is. */
const mostCommands = 4
const missingMilliseconds = 10_000
const secret = `token-${randomBytes(16).toString('hex')}`
const patience = { timeoutMilliseconds: 240_000, intervalMilliseconds: 1_000 }

let host: HardwareHost
let git: GitServer
let keys: KeyPair
let pool: WarmPool
let agent: HardwareAgent

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  git = await serveRepository(join(host.folder, 'git'), 'shop', { 'README.md': '# Shop\n' })
  await makeBranch('next')
  keys = await newKeyPair(join(host.folder, 'keys'), 'claimant')
  agent = await host.startAgent('late-binding', { HEARTH_GUEST_ALLOW: git.opened })
  await createGuestClass(host.client, 'guest', 'debian-12')
  const applied = await host.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    repositories: [{ url: git.url('shop') }],
    variables: { GREETING: 'hello' },
    warmPools: [
      {
        environmentClass: 'guest',
        min: 1,
        setup: ['cat /proc/sys/kernel/random/boot_id >/home/boot-of-the-pool; sync'],
      },
    ],
  })
  pool = await host.client.warmPools.get(applied.warmPools[0]?.id ?? '')
  await untilReady(host.client, pool.metadata.id)
  // No other guest boots on these processors while a claim is bound.
  await schedule('cordoned')
})

afterAll(async () => {
  await git?.[Symbol.asyncDispose]()
  await host?.[Symbol.asyncDispose]()
})

const schedule = (scheduling: 'enabled' | 'cordoned') =>
  host.client.runners.update(agent.runner.metadata.id, { spec: { scheduling } })

async function makeBranch(name: string): Promise<void> {
  const options = { cwd: join(host.folder, 'git', 'work'), env: gitEnvironment }
  const served = join(host.folder, 'git', 'served', 'shop.git')
  await run(['git', 'checkout', '--quiet', '-b', name], options)
  await run(['git', 'commit', '--quiet', '--allow-empty', '--message', name], options)
  await run(['git', 'push', '--quiet', served, name], options)
}

async function claim(spec: object): Promise<{ claim: Claim; milliseconds: number }> {
  const begun = performance.now()
  const base = { project: 'shop', fallback: 'refuse' as const, publicKey: keys.publicKey }
  const made = await host.client.claims.create({ spec: { ...base, ...spec } })
  return ended(made, begun)
}

async function ended(made: Claim, begun: number): Promise<{ claim: Claim; milliseconds: number }> {
  let seen = made
  while (seen.status.phase === 'pending') seen = await host.client.claims.wait(made.metadata.id, 60)
  return { claim: seen, milliseconds: performance.now() - begun }
}

function enter({ status }: Claim, command: string) {
  const { address, certificate } = status.connection as Connection
  return secureShell(address, { keyPath: keys.path, certificate }, command)
}

async function linesOf(of: Claim, ...commands: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await enter(of, commands.join('\n'))
  expect(exitCode, stderr).toBe(0)
  return stdout.trimEnd().split('\n')
}

async function commandMilliseconds(of: Claim): Promise<number> {
  const begun = performance.now()
  await linesOf(of, 'true')
  return performance.now() - begun
}

const bootId = 'cat /proc/sys/kernel/random/boot_id'
const boundVariables = ["GREETING='bonjour'", `TOKEN='${secret}'`]

describe('a real guest that was ready before it was claimed', () => {
  let first: Claim
  let second: Claim

  it('is bound with a variable, a secret and another branch in under three seconds, without a restart', async () => {
    const { claim: bound, milliseconds } = await claim({
      variables: { GREETING: 'bonjour', TOKEN: { value: secret, secret: true } },
      repositories: [{ name: 'shop', ref: 'next' }],
    })
    first = bound
    expect(bound.status.failure).toBeNull()
    expect(bound.status).toMatchObject({ phase: 'bound', source: 'running' })
    const steps = bound.status.binding?.steps.map((step) => `${step.name} ${step.durationMilliseconds} ms`)
    const command = await commandMilliseconds(bound)
    console.info(
      `claimed and bound in ${milliseconds.toFixed(0)} ms (${steps?.join(', ')}); one command over SSH takes ${command.toFixed(0)} ms`,
    )
    const lines = await linesOf(
      bound,
      ...[bootId, 'cat /home/boot-of-the-pool', 'cat /home/.env', 'stat -c "%a %U" /home/.env'],
      'git -C /home/shop symbolic-ref --short HEAD; git -C /home/shop log -1 --format=%s',
    )
    expect(lines[0]).toBe(lines[1])
    expect(lines.slice(2)).toEqual([...boundVariables, '600 root', 'next', 'next'])
    expect(milliseconds).toBeLessThan(Math.max(boundMilliseconds, mostCommands * command))
  })

  it('keeps what was bound when it is put back to a checkpoint that lost it', async () => {
    const { client } = host
    const { id } = first.metadata
    await linesOf(first, 'echo lost >/home/.env; sync')
    await client.claims.checkpoint(id, { memory: false })
    const environmentId = first.status.environmentId ?? ''
    await eventually(async () => {
      const { items } = await client.snapshots.list({})
      return items.some(({ status }) => status.phase === 'ready') ? true : null
    }, patience)
    const before = await client.environments.get(environmentId)
    await client.claims.restore(id, { memory: false })
    await untilEnvironment(
      client,
      environmentId,
      ({ status, specVersion }) =>
        specVersion > before.specVersion &&
        status.observedSpecVersion >= specVersion &&
        status.phase === 'running',
    )
    const after = await client.claims.get(id)
    expect((await linesOf(after, 'cat /home/.env')).toSorted()).toEqual(boundVariables)
  })

  it('fails the claim by repository and reference where that is missing, within seconds, and is left for a look', async () => {
    await host.client.claims.release(first.metadata.id)
    await schedule('enabled')
    await untilReady(host.client, pool.metadata.id)
    await schedule('cordoned')
    const { claim: failed, milliseconds } = await claim({
      repositories: [{ name: 'shop', ref: 'not-there-yet' }],
      hostname: 'review-12.internal',
      startCommand: 'echo "started as $HOSTNAME"; exec sleep 100000',
    })
    second = failed
    console.info(`failed in ${milliseconds.toFixed(0)} ms`)
    expect(failed.status).toMatchObject({ phase: 'failed', binding: { phase: 'failed' } })
    expect(failed.status.failure).toMatchObject({
      code: 'clone_failed',
      step: 'checkout_repo',
      message: 'repository shop has no branch, tag, commit or pull request "not-there-yet"',
      lastLines: expect.arrayContaining([expect.stringContaining('not-there-yet')]),
    })
    expect(await linesOf(failed, 'cat /proc/sys/kernel/hostname; hostname -f')).toEqual([
      'review-12.internal',
      'review-12.internal',
    ])
    expect(milliseconds).toBeLessThan(
      Math.max(missingMilliseconds, 2 * mostCommands * (await commandMilliseconds(failed))),
    )
  })

  it('has its new host name after it restarted itself', async () => {
    const [before] = await linesOf(second, bootId)
    await enter(second, 'systemctl reboot')
    const lines = await eventually(async () => {
      const { exitCode, stdout } = await enter(
        second,
        `${bootId}; cat /proc/sys/kernel/hostname /etc/hostname`,
      )
      const said = stdout.trimEnd().split('\n')
      return exitCode === 0 && said[0] !== before ? said : null
    }, patience)
    expect(lines.slice(1)).toEqual(['review-12.internal', 'review-12.internal'])
  })

  it('is bound by a retry once the branch is there, and its start command runs on', async () => {
    await makeBranch('not-there-yet')
    const retried = await host.client.claims.retry(second.metadata.id)
    const { claim: bound } = await ended(retried, performance.now())
    expect(bound.status.failure).toBeNull()
    expect(bound.status).toMatchObject({ phase: 'bound', binding: { attempt: 2, phase: 'bound' } })
    const lines = await linesOf(
      bound,
      'git -C /home/shop symbolic-ref --short HEAD',
      'cat /var/log/hearth/start-command.log',
      'pgrep -fx "sleep 100000" >/dev/null && echo runs',
    )
    expect(lines).toEqual(['not-there-yet', 'started as review-12.internal', 'runs'])
  })

  it('has told its secret to nobody', async () => {
    expect(JSON.stringify(await everythingIn(host.installation))).not.toContain(secret)
  })
})
