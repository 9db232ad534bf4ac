import { join } from 'node:path'
import type { Environment } from '@hearth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { domainsOf } from './domains.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { type KeyPair, newKeyPair, secureShell } from './secure-shell.ts'
import { type SecureShellServer, startSecureShellServer } from './secure-shell-server.ts'
import { untilDeleted, untilProvisioned } from './waiting.ts'

let host: HardwareHost
let agent: HardwareAgent
let server: SecureShellServer
let keys: KeyPair

// One environment for two independent checks: a boot with cloud-init is the slowest of all.
beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12-cloud-init')
  keys = await newKeyPair(join(host.folder, 'keys'), 'owner')
  server = await startSecureShellServer(join(host.folder, 'sshd'))
  const { user, port, hostKey } = server.login
  agent = await host.startAgent('driving', {
    HEARTH_HOST_SSH: `${user}@127.0.0.1:${port}`,
    HEARTH_HOST_SSH_KEY_FILE: server.keyPath,
    HEARTH_HOST_SSH_HOST_KEY: hostKey,
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await host?.[Symbol.asyncDispose]()
})

describe('a cloud image with cloud-init, on a host that the agent drives over SSH', () => {
  let environment: Environment

  it('becomes a machine with its own identity and runs its set-up', async () => {
    const { client } = host
    const { projectId } = await client.apply({
      apiVersion: 'hearth/v1',
      name: 'cloud',
      variables: { GREETING: 'hello' },
      setup: ['echo "$GREETING from $(uname -n)" >/home/said; cat /home/said'],
    })
    const guestClass = await createGuestClass(client, 'cloud', 'debian-12-cloud-init')
    const { metadata } = await client.environments.create({
      spec: { projectId, environmentClassId: guestClass.metadata.id },
    })
    environment = await untilProvisioned(client, metadata.id)
    expect(environment.status.failure).toBeNull()
    expect(environment.status.phase).toBe('running')
    expect(environment.status.identity).toMatchObject({
      machineId: metadata.id.replaceAll('-', ''),
      hostKeyMatches: true,
      randomSeedFresh: true,
    })
  })

  it('accepts the certificate behind the pinned host key, and has its hostname', async () => {
    const { id } = environment.metadata
    const { address, certificate } = await host.client.environments.certificate(id, keys.publicKey)
    const login = { keyPath: keys.path, certificate }
    const result = await secureShell(
      address,
      login,
      'hostname; cat /etc/machine-id /home/said; cloud-init status',
    )
    expect(result.exitCode, result.stderr).toBe(0)
    const { hostname, machineId } = environment.status.identity ?? {}
    const lines = result.stdout.trimEnd().split('\n')
    expect(lines.slice(0, 3)).toEqual([hostname, machineId, `hello from ${hostname}`])
    expect(lines.at(-1)).toMatch(/^status: (running|done)$/)
    const bare = await secureShell(address, { keyPath: keys.path }, 'true')
    expect(bare).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('Permission denied') })
  })

  it('is deleted without a trace', async () => {
    await host.client.environments.delete(environment.metadata.id)
    await untilDeleted(host.client, environment.metadata.id)
    expect(await domainsOf([agent.runner.metadata.id])).toEqual([])
  })
})
