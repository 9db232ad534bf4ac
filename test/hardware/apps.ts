import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import type { Deployment, WebApp } from '@hearth/contract'
import { appZip, deploy } from '../system/app-zip.ts'
import { until } from '../system/following.ts'
import type { Installation } from '../system/installation.ts'

const examples = join(import.meta.dirname, '../../examples')
/** Everything is emulated, on a busy host. */
export const patienceMilliseconds = 400_000

export type Example = 'flask-shop' | 'node-board'

/** From the files of an example, by their names, to those of its version. */
export type Change = (files: Record<string, string>) => Record<string, string>

/** A ZIP of a version of an example. */
export function zipOf(example: Example, change: Change = (files) => files): Promise<Buffer<ArrayBuffer>> {
  const folder = join(examples, example)
  const files = Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
  const { 'bentocloud.toml': configuration = '', ...rest } = change(files)
  return appZip(configuration, rest)
}

/** Resolves when the deployment has ended, well or not. */
export function untilDeployed(client: HearthClient, { metadata }: Deployment): Promise<Deployment> {
  const ended = ({ status }: Deployment) => status.finishedAt !== null
  return until(
    client,
    `deployment ${metadata.name}`,
    () => client.deployments.get(metadata.id),
    ended,
    patienceMilliseconds,
  )
}

export async function deployed(installation: Installation, spaceId: string, zip: Buffer<ArrayBuffer>) {
  return untilDeployed(installation.client, await deploy(installation, spaceId, zip))
}

export function untilWebApp(
  client: HearthClient,
  { metadata }: WebApp,
  wanted: (app: WebApp) => boolean,
): Promise<WebApp> {
  const look = () => client.webApps.get(metadata.id)
  return until(client, `web app ${metadata.name}`, look, wanted, patienceMilliseconds)
}

export const untilNoWebApp = (client: HearthClient, environmentId: string): Promise<unknown> =>
  until(
    client,
    'web apps of the machine',
    () => client.webApps.list({ environmentId }),
    ({ items }) => items.length === 0,
    patienceMilliseconds,
  )
