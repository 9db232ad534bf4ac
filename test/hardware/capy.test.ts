import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { imageStepNames } from '@hearth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CapyClient } from '../clients/capy/client.ts'
import { domainsOf } from './domains.ts'
import { type GitServer, serveRepository } from './git-server.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { type SecureShellServer, startSecureShellServer } from './secure-shell-server.ts'
import { untilDeleted } from './waiting.ts'

const bootMilliseconds = 500_000
const keepSeconds = 3
const capySettings = { hooks: { setup: ['echo "hooked in $PWD" | tee hooked'] } }

let host: HardwareHost
let agent: HardwareAgent
let git: GitServer
let secureShell: SecureShellServer
let capy: CapyClient
let project: string

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  const gitFolder = join(host.folder, 'git')
  git = await serveRepository(gitFolder, 'shop', {
    'README.md': '# Shop\n',
    '.capy/settings.json': JSON.stringify(capySettings),
  })
  secureShell = await startSecureShellServer(join(host.folder, 'sshd'))
  agent = await host.startAgent('capy', {
    HEARTH_GUEST_ALLOW: `${git.opened},ssh=127.0.0.1:${secureShell.login.port}`,
  })
  await createGuestClass(host.client, 'guest', 'debian-12')
  const { user, port, hostKey, privateKey } = secureShell.login
  const { projectId } = await host.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    repositories: [
      { url: git.url('shop') },
      {
        url: `ssh://${user}@10.0.2.2:${port}${join(gitFolder, 'served', 'shop.git')}`,
        name: 'private',
        deployKey: 'DEPLOY_KEY',
        knownHosts: `[10.0.2.2]:${port} ${hostKey}`,
      },
    ],
    variables: { GREETING: 'hello' },
    secrets: { DEPLOY_KEY: privateKey },
    setup: ['true'],
    warmPools: [{ environmentClass: 'guest', enabled: false }],
  })
  project = projectId
  const { url, token } = host.installation
  capy = new CapyClient(url, token.replace(/^hearth_/, 'capy_'))
})

afterAll(async () => {
  await secureShell?.[Symbol.asyncDispose]()
  await git?.[Symbol.asyncDispose]()
  await host?.[Symbol.asyncDispose]()
})

const configure = (id: string, setupCommands: unknown[]) =>
  capy.call('PATCH', `/projects/${id}/warm-pool`, { setupCommands })

describe('a test boot on a real guest, through Capy’s API,', () => {
  it('is ready when every step went well: hooks, private repository, folders and variables as documented', async () => {
    const { status } = await configure(project, [
      { name: 'where', command: '[ "$PWD" = /home ] && [ "$(id -u)" = 0 ] && [ "$GREETING" = hello ]' },
      {
        name: 'repositories',
        command: '[ -f shop/hooked ] && [ -f private/hooked ] && cat private/README.md',
      },
      {
        name: 'no key is left',
        // The pattern does not match this line itself, which is in the script's file while it runs.
        command:
          '! grep -q DEPLOY /home/.env && ! find /run/hearth/git -type f | grep . && ! grep -rl "PRIVATE[ ]KEY" /run/hearth /home /root',
      },
      { name: 'much', command: 'seq 1 20000' },
    ])
    expect(status).toBe(200)
    const { body } = await capy.call('POST', `/projects/${project}/warm-pool/test`)
    const result = await capy.untilBooted(project, body.id, bootMilliseconds)
    expect(result).toMatchObject({
      status: 'ready',
      summary: { success: true, failedStep: null, error: null },
    })
    expect([...new Set(result.steps.map(({ name }: { name: string }) => name))]).toEqual([...imageStepNames])
    const hooks = result.steps.filter(({ name }: { name: string }) => name === 'init_repo')
    expect(hooks.map(({ output }: { output: string }) => output)).toEqual([
      expect.stringContaining('hooked in /home/shop\n'),
      expect.stringContaining('hooked in /home/private\n'),
    ])
    const { output } = result.steps.at(-1)
    expect(output).toMatch(/^==> where\n.*# Shop\n.*bytes left out here.*\n20000\n$/s)
    await host.client.environments.delete(body.id)
    await untilDeleted(host.client, body.id)
  })

  it('is failed when a command fails, with its exit code and last words, and is gone after its keep time', async () => {
    await configure(project, [
      'echo "all is well so far"',
      'echo "about to fail"; echo "last words" >&2; exit 3',
    ])
    const pool = (await host.client.warmPools.list({ projectId: project })).items[0]?.metadata.id ?? ''
    const test = await host.client.warmPools.tests(pool).create({ keepSeconds })
    const { id } = test.environment.metadata
    const result = await capy.untilBooted(project, id, bootMilliseconds)
    expect(result).toMatchObject({
      status: 'failed',
      summary: { success: false, failedStep: 'warm_pool_setup' },
    })
    expect(result.summary.error).toContain('exited with 3')
    expect(result.summary.error).toContain('last words')
    await untilDeleted(host.client, id)
    expect(await domainsOf([agent.runner.metadata.id])).toEqual([])
    expect(readdirSync(agent.environmentsFolder)).toEqual([])
    expect((await capy.call('GET', `/projects/${project}/warm-pool/instances/${id}`)).body.status).toBe(
      'failed',
    )
  })

  it('is failed when a repository cannot be cloned', async () => {
    const { projectId } = await host.client.apply({
      apiVersion: 'hearth/v1',
      name: 'nowhere',
      repositories: [{ url: 'git://127.0.0.1:9418/shop.git' }],
      warmPools: [{ environmentClass: 'guest', enabled: false }],
    })
    const { body } = await capy.call('POST', `/projects/${projectId}/warm-pool/test`, {})
    const result = await capy.untilBooted(projectId, body.id, bootMilliseconds)
    expect(result.summary).toMatchObject({ success: false, failedStep: 'clone_repo' })
    expect(result.summary.error).toContain('Connection refused')
  })
})
