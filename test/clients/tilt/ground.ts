import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import { type Installation, type InstallationOptions, startInstallation } from '../../system/installation.ts'

/** An installation that serves HTTPS, and what a person gives to kubectl to reach it. */
export interface Ground extends AsyncDisposable {
  installation: Installation
  client: HearthClient
  /** What `hearth session kubeconfig` prints. */
  kubeconfig: string
  /** The same in a file. */
  kubeconfigFile: string
}

export async function startGround(options: InstallationOptions = {}): Promise<Ground> {
  const installation = await startInstallation({ secureHosts: [], ...options })
  const { url, token, folder, client } = installation
  const program = join(import.meta.dirname, '../../../packages/cli/src/main.ts')
  const { stdout: kubeconfig } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', program, 'session', 'kubeconfig'],
    { env: { ...process.env, HEARTH_URL: url, HEARTH_TOKEN: token, HEARTH_STATE: folder } },
  )
  const kubeconfigFile = join(folder, 'kubeconfig.yaml')
  writeFileSync(kubeconfigFile, kubeconfig, { mode: 0o600 })
  return {
    installation,
    client,
    kubeconfig,
    kubeconfigFile,
    [Symbol.asyncDispose]: () => installation[Symbol.asyncDispose](),
  }
}

export const newName = () => `s-${newId()}`.slice(0, 40)

/** A session of CI, as its caller opens it. */
export const openSession = (client: HearthClient, name = newName()) =>
  client.sessions.create({
    name,
    labels: { app: 'shop' },
    spec: { file: '/home/me/shop/hearth.yaml', exitCondition: 'ci' },
    processId: 4_711,
    leaseSeconds: 600,
  })

/** Takes a session through its life by the reports of its caller; the last step ends well or with an error. */
export async function live(client: HearthClient, name: string, error: string | null): Promise<void> {
  const report = (...targets: Parameters<HearthClient['sessions']['report']>[1]) =>
    client.sessions.report(name, targets)
  await report(
    { name: '(hearth.yaml):update', state: { kind: 'active' } },
    { name: 'test:update', resources: ['test'], state: { kind: 'waiting', reason: 'machine' } },
  )
  await report({ name: '(hearth.yaml):update', state: { kind: 'terminated' } })
  await report({ name: 'test:update', resources: ['test'], state: { kind: 'active' } })
  await report({ name: 'test:update', resources: ['test'], state: { kind: 'terminated', error } })
}
