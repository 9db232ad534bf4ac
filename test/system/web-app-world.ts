import type { Deployment, JobLogEntry, Service, Space, Task, WebApp } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { appZip, deploy } from './app-zip.ts'
import { until } from './following.ts'
import type { Installation } from './installation.ts'

/** A service that runs on, and commands, as a synthetic guest reads them in a script: each a whole line. */
export const runsOn = '\nsleep infinity\n'
export const line = (command: string) => `\n${command}\n`

export interface MadeWebApp {
  name: string
  id: string
  environmentId: string
  uat: string
  production: string
}

/** A `bentocloud.toml` with a server and a worker of two instances. */
export function shopFile({
  release = [],
  web = runsOn,
  worker = runsOn,
  more = '',
}: {
  release?: readonly string[]
  web?: string
  worker?: string
  more?: string
} = {}): string {
  return `
[deploy]
release_commands = ${JSON.stringify(release)}
[processes.web]
command = ${JSON.stringify(web)}
http = true
[processes.worker]
command = ${JSON.stringify(worker)}
instances = 2
${more}`
}

/** What tests of web apps do. */
export function webAppWorld(
  installation: () => Pick<Installation, 'client' | 'url' | 'token'>,
  milliseconds = 60_000,
) {
  const client = () => installation().client
  const wait = <Value>(what: string, read: () => Promise<Value>, wanted: (value: Value) => boolean) =>
    until(client(), what, read, wanted, milliseconds)
  const world = {
    async machine(): Promise<string> {
      const name = `m-${newId().slice(-12)}`
      const { projectId } = await client().apply({ apiVersion: 'hearth/v1', name })
      const { metadata } = await client().environments.create({
        name,
        spec: {
          projectId,
          environmentClassId: (await client().environmentClasses.get('small')).metadata.id,
        },
      })
      return metadata.id
    },
    untilApp: (id: string, wanted: (app: WebApp) => boolean) =>
      wait('the web app', () => client().webApps.get(id), wanted),
    untilSpace: (id: string, wanted: (space: Space) => boolean) =>
      wait('the space', () => client().spaces.get(id), wanted),
    untilDeployment: (id: string, wanted: (deployment: Deployment) => boolean) =>
      wait('the deployment', () => client().deployments.get(id), wanted),
    untilOver: (id: string) => world.untilDeployment(id, ({ status }) => status.finishedAt !== null),
    untilServices: (environmentId: string, wanted: (services: Service[]) => boolean) =>
      wait('the services', () => client().services.listAll({ environmentId }), wanted),
    /** One that is set up. */
    async webApp(): Promise<MadeWebApp> {
      const name = `a-${newId().slice(-12)}`
      const environmentId = await world.machine()
      const { metadata, status } = await client().webApps.create({
        name,
        spec: { environment: environmentId, runtime: 'python', database: 'postgres' },
      })
      await world.untilApp(metadata.id, (app) => app.status.phase === 'ready')
      return { name, id: metadata.id, environmentId, ...status.spaceIds }
    },
    deploy: async (space: string, configuration = shopFile()) =>
      deploy(installation(), space, await appZip(configuration)),
    /** Deploys, and waits for the end. */
    async deployed(space: string, configuration = shopFile()): Promise<Deployment> {
      const { metadata } = await world.deploy(space, configuration)
      return world.untilOver(metadata.id)
    },
    /** Those that run, by name, each with the deployment that keeps it. */
    async running(environmentId: string): Promise<Record<string, string | undefined>> {
      const items = await client().services.listAll({ environmentId })
      return Object.fromEntries(
        items
          .filter(({ status }) => status.phase === 'running')
          .map(({ metadata, spec }) => [metadata.name, spec.keptBy?.id]),
      )
    },
    async log(resourceId: string): Promise<JobLogEntry[]> {
      const { items } = await client().jobs.list({ resourceId })
      return items.flatMap(({ log }) => log)
    },
    /** Every task that there was in a machine, with how many runs it had. */
    async ranTasks(environmentId: string): Promise<Record<string, number>> {
      const runs: Record<string, number> = {}
      for (let after = 0; ; ) {
        const { items, next } = await client().events.list({ kind: 'Task', after, limit: 500 })
        for (const { resource } of items) {
          const task = resource as unknown as Task
          if (task.spec.environmentId !== environmentId) continue
          runs[task.metadata.name] = Math.max(runs[task.metadata.name] ?? 0, task.status.runs)
        }
        if (next === null || items.length === 0) return runs
        after = Number(next)
      }
    },
  }
  return world
}

/** The names of what a deployment of the shop runs. */
export const shopNames = ({ metadata }: Pick<Deployment, 'metadata'>, type = 'uat') =>
  ['web-1', 'worker-1', 'worker-2'].map((one) => `app-${type}-${one}-${metadata.id.slice(-8)}`)
