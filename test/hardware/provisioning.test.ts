import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim, Connection, Environment, WarmPool } from '@hearth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signCertificate } from './certificate.ts'
import { domainsOf } from './domains.ts'
import { type GitServer, serveRepository } from './git-server.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { everythingIn } from './messages.ts'
import { processesWith } from './processes.ts'
import { type KeyPair, newKeyPair, secureShell } from './secure-shell.ts'
import { untilDeleted, untilReady } from './waiting.ts'

/** Allowed deviation of a guest's clock. */
const clockMilliseconds = 500
const secret = `token-${randomBytes(16).toString('hex')}`
const variables = { GREETING: `it's "quoted" $HOME \\ and long`, EMPTY: '' }

let host: HardwareHost
let agent: HardwareAgent
let git: GitServer
let keys: KeyPair
let pool: WarmPool

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  git = await serveRepository(join(host.folder, 'git'), 'shop', {
    'README.md': '# Shop\n',
    '.hearth/init': '#!/bin/bash\necho "initialised by $PWD"\ntouch initialised\n',
  })
  keys = await newKeyPair(join(host.folder, 'keys'), 'claimant')
  agent = await host.startAgent('provisioning', { HEARTH_GUEST_ALLOW: git.opened })
  await createGuestClass(host.client, 'guest', 'debian-12')
  const applied = await host.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    repositories: [{ url: git.url('shop'), setup: ['cat README.md', 'pwd >where'] }],
    variables,
    secrets: { API_TOKEN: secret },
    setup: [
      { name: 'greet', command: 'printf "%s\\n" "$GREETING"' },
      {
        name: 'tell the secret',
        command: 'echo "the token is $API_TOKEN"; [ "$PWD" = /home ] && [ "$HOME" = /root ]',
      },
    ],
    warmPools: [{ environmentClass: 'guest', min: 1, setup: ['echo warm >/home/warm'] }],
  })
  pool = await host.client.warmPools.get(applied.warmPools[0]?.id ?? '')
})

afterAll(async () => {
  await git?.[Symbol.asyncDispose]()
  await host?.[Symbol.asyncDispose]()
})

describe('a pool of one on a real host', () => {
  let member: Environment
  let claim: Claim
  let replacement: Environment

  it('fills, and every step has its times and its output', async () => {
    await untilReady(host.client, pool.metadata.id)
    member = await onlyMember()
    expect(member.status.summary).toEqual({ success: true, failedStep: null, error: null })
    expect(member.status.steps.map(({ name, phase }) => `${name} ${phase}`)).toEqual([
      'create_vm succeeded',
      'ensure_server succeeded',
      'set_env_vars succeeded',
      'clone_repo succeeded',
      'init_repo succeeded',
      'project_setup succeeded',
      'repo_setup succeeded',
      'warm_pool_setup succeeded',
    ])
    for (const step of member.status.steps) {
      const { startedAt, finishedAt, durationMilliseconds } = step
      const took = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')
      // A step starts when the agent asks for it, and lasts as long as the guest ran it.
      expect(took).toBeGreaterThanOrEqual((durationMilliseconds ?? Number.NaN) - clockMilliseconds)
    }
    expect(outputOf('clone_repo')).toContain("Cloning into '/home/shop'")
    expect(outputOf('init_repo')).toContain('initialised by /home/shop')
    expect(outputOf('project_setup')).toContain(variables.GREETING)
    expect(outputOf('project_setup')).toContain('the token is ***')
    expect(outputOf('repo_setup')).toContain('# Shop')
  })

  it('has its own identity, as read from inside', async () => {
    expect(member.status.identity).toMatchObject({
      machineId: member.metadata.id.replaceAll('-', ''),
      hostKeyMatches: true,
      randomSeedFresh: true,
    })
    expect(Math.abs(member.status.identity?.clockOffsetMilliseconds ?? Number.NaN)).toBeLessThan(
      clockMilliseconds,
    )
  })

  it('lets the claimant in with the certificate of the claim', async () => {
    claim = await host.client.claims.create({
      spec: { project: 'shop', fallback: 'refuse', publicKey: keys.publicKey },
    })
    expect(claim.status).toMatchObject({
      phase: 'bound',
      source: 'running',
      environmentId: member.metadata.id,
    })
    const script = [
      'cat /etc/machine-id /proc/sys/kernel/hostname',
      'cat /home/shop/where /home/warm',
      'ls /home/shop/.git/HEAD /home/shop/initialised',
      'stat -c "%a %U" /home/.env',
      'date +%s.%N',
      'cat /home/.env',
      'set -a; . /home/.env; printf "%s\\n" "$GREETING" "$API_TOKEN"',
    ]
    const before = Date.now()
    const { stdout, stderr, exitCode } = await enter(connection(), script.join('\n'))
    const after = Date.now()
    expect(exitCode, stderr).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    const { machineId, hostname } = member.status.identity ?? {}
    expect(lines.slice(0, 7)).toEqual([
      ...[machineId, hostname, '/home/shop', 'warm'],
      ...['/home/shop/.git/HEAD', '/home/shop/initialised', '600 root'],
    ])
    const guestClock = Number(lines[7]) * 1000
    expect(guestClock).toBeGreaterThan(before - clockMilliseconds)
    expect(guestClock).toBeLessThan(after + clockMilliseconds)
    expect(lines.slice(-2)).toEqual([variables.GREETING, secret])
  })

  it('keeps what is put into /tmp while the rest of its boot goes on', async () => {
    // What systemd-tmpfiles-setup.service does, which cannot be started again.
    const rest =
      'touch /tmp/early; systemd-tmpfiles --create --remove --boot --exclude-prefix=/dev; ls /tmp/early'
    expect((await enter(connection(), rest)).stdout).toBe('/tmp/early\n')
  })

  it('refuses the key without a certificate, and certificates of others', async () => {
    const { address } = connection()
    const bare = await secureShell(address, { keyPath: keys.path }, 'true')
    expect(bare).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('Permission denied') })
    const stranger = await newKeyPair(join(host.folder, 'keys'), 'other-authority')
    const certificate = await signCertificate(stranger, keys, `environment:${member.metadata.id}`)
    const forged = await secureShell(address, { keyPath: keys.path, certificate }, 'true')
    expect(forged).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('Permission denied') })
  })

  it('is refilled with a machine that refuses the first one’s certificate and accepts its own', async () => {
    await untilReady(host.client, pool.metadata.id)
    replacement = await onlyMember()
    expect(replacement.metadata.id).not.toBe(member.metadata.id)
    const own = await host.client.environments.certificate(replacement.metadata.id, keys.publicKey)
    const login = { keyPath: keys.path, certificate: connection().certificate }
    const refused = await secureShell(own.address, login, 'true')
    expect(refused).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('Permission denied') })
    const { stdout } = await enter(own, 'cat /etc/machine-id')
    expect(stdout.trim()).toBe(replacement.status.identity?.machineId)
    expect(replacement.status.address?.hostKey).not.toBe(member.status.address?.hostKey)
    const foreign = await secureShell(
      connection().address,
      { ...login, certificate: own.certificate },
      'true',
    )
    expect(foreign).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('Permission denied') })
  })

  it('shows the secret nowhere', async () => {
    const { client, installation } = host
    const ids = [member.metadata.id, replacement.metadata.id]
    const logs = await Promise.all(ids.map(logOf))
    expect(logs[0]).toContain('the token is ***')
    const answers = await Promise.all([
      client.projects.listAll({}),
      client.warmPools.listAll({}),
      client.environments.listAll({}),
      client.claims.listAll({}),
      client.jobs.listAll({}),
      client.runners.listAll({}),
      client.events.list({ after: 0, limit: 1000 }),
    ])
    const { messages, rows } = await everythingIn(installation)
    expect(messages.length).toBeGreaterThan(20)
    expect(messages.some(({ subject }) => subject.startsWith('hearth.log.'))).toBe(true)
    expect(messages.some(({ subject }) => subject.startsWith('hearth.work.'))).toBe(true)
    expect(rows.length).toBeGreaterThan(20)
    const records = ids.map((id) => readFileSync(join(agent.environmentsFolder, id, 'record.json'), 'utf8'))
    const texts = [
      ...logs,
      ...messages.map(({ text }) => text),
      ...rows,
      ...records,
      await agent.process.log(),
    ]
    for (const text of [...texts, JSON.stringify(answers)]) expect(text.includes(secret)).toBe(false)
  })

  it('deletes the machine that is released, and nothing else', async () => {
    await host.client.claims.release(claim.metadata.id)
    await untilDeleted(host.client, member.metadata.id)
    const left = await domains()
    expect(left).toContain(`hearth-${replacement.metadata.id}`)
    expect(left).not.toContain(`hearth-${member.metadata.id}`)
    expect(existsSync(join(agent.environmentsFolder, member.metadata.id))).toBe(false)
  })

  it('leaves nothing behind when the pool is deleted, nor of the inspected machine', async () => {
    const members = await host.client.environments.listAll({ warmPoolId: pool.metadata.id })
    expect(members.map(({ metadata }) => metadata.id)).not.toContain(replacement.metadata.id)
    await host.client.warmPools.delete(pool.metadata.id)
    await host.client.environments.delete(replacement.metadata.id)
    for (const { metadata } of [replacement, ...members]) await untilDeleted(host.client, metadata.id)
    expect(await domains()).toEqual([])
    expect(readdirSync(agent.environmentsFolder)).toEqual([])
    expect(processesWith(agent.environmentsFolder)).toEqual([])
    const { messages } = await everythingIn(host.installation)
    expect(messages.filter(({ subject }) => subject.startsWith('hearth.work.'))).toEqual([])
  })

  const connection = (): Connection => {
    if (claim.status.connection === null) throw new Error('the claim has no connection')
    return claim.status.connection
  }
  const outputOf = (name: string) => member.status.steps.find((step) => step.name === name)?.output ?? ''
})

function enter({ address, certificate }: Connection, command: string) {
  return secureShell(address, { keyPath: keys.path, certificate }, command)
}

async function onlyMember(): Promise<Environment> {
  const members = await host.client.environments.listAll({ warmPoolId: pool.metadata.id })
  const [ready] = members.filter(({ status }) => status.phase === 'running' && status.claimId === null)
  if (ready === undefined) throw new Error('the pool has no ready member')
  return ready
}

const domains = () => domainsOf([agent.runner.metadata.id])

async function logOf(id: string): Promise<string> {
  let text = ''
  for await (const chunk of host.client.environments.logs(id, { signal: AbortSignal.timeout(30_000) }))
    text += chunk.text
  return text
}
