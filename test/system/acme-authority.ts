import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { visit } from './browser.ts'

export interface AcmeAuthority extends AsyncDisposable {
  /** Where its clients begin. */
  directory: string
  /** The certificate that signs its own and those that it gives. */
  rootPath: string
}

/**
 * A certificate authority that speaks ACME, as those on the internet do: a Caddy that checks each host name on ports 80 and
 * 443 of the address that the hosts file gives it. It has that file to itself, which needs root.
 */
export async function startAcmeAuthority(
  folder: string,
  hosts: Readonly<Record<string, string>>,
): Promise<AcmeAuthority> {
  mkdirSync(folder)
  const port = await freePort()
  const configPath = join(folder, 'caddy.json')
  const hostsPath = join(folder, 'hosts')
  writeFileSync(
    hostsPath,
    Object.entries(hosts)
      .map(([name, address]) => `${address} ${name}\n`)
      .join(''),
  )
  writeFileSync(configPath, JSON.stringify(authorityConfig(folder, port)))
  const script = 'mount --bind "$1" /etc/hosts && exec caddy run --config "$2"'
  const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', hostsPath, configPath], {
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: 'ignore',
  })
  const rootPath = join(folder, 'data/pki/authorities/local/root.crt')
  const directory = `https://127.0.0.1:${port}/acme/local/directory`
  const answers = async () => {
    const root = await readFile(rootPath, 'utf8').catch(() => null)
    if (root === null) return null
    const seen = await visit(directory, root).catch(() => null)
    return seen?.status === 200 ? true : null
  }
  const exited = once(child, 'exit')
  const end = async () => {
    child.kill('SIGTERM')
    await exited
  }
  await eventually(answers, { timeoutMilliseconds: 30_000 }).catch(async (thrown: unknown) => {
    await end()
    throw thrown
  })
  return { directory, rootPath, [Symbol.asyncDispose]: end }
}

function authorityConfig(folder: string, port: number): object {
  return {
    admin: { disabled: true },
    storage: { module: 'file_system', root: join(folder, 'data') },
    apps: {
      pki: { certificate_authorities: { local: { install_trust: false } } },
      tls: {
        certificates: { automate: ['127.0.0.1'] },
        automation: { policies: [{ subjects: ['127.0.0.1'], issuers: [{ module: 'internal' }] }] },
      },
      http: {
        servers: {
          authority: {
            listen: [`127.0.0.1:${port}`],
            automatic_https: { disable: true },
            tls_connection_policies: [{ default_sni: '127.0.0.1' }],
            routes: [{ handle: [{ handler: 'acme_server' }] }],
          },
        },
      },
    },
  }
}
