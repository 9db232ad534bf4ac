import type { Deployment, Space, WebApp } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { appZip, deploy as send } from './app-zip.ts'
import { until } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Web apps with the shipped agent, whose synthetic guests read of scripts the whole lines that they know. */
let installation: Installation
let agent: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

async function machine(): Promise<string> {
  const { client } = installation
  const name = `m-${newId().slice(-12)}`
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name })
  const { metadata } = await client.environments.create({
    name,
    spec: { projectId, environmentClassId: (await client.environmentClasses.get('small')).metadata.id },
  })
  return metadata.id
}

const untilApp = (id: string, wanted: (app: WebApp) => boolean) =>
  until(installation.client, 'the web app', () => installation.client.webApps.get(id), wanted)
const untilSpace = (id: string, wanted: (space: Space) => boolean) =>
  until(installation.client, 'the space', () => installation.client.spaces.get(id), wanted)
const untilOver = (id: string): Promise<Deployment> =>
  until(
    installation.client,
    'the end of the deployment',
    () => installation.client.deployments.get(id),
    ({ status }) => status.finishedAt !== null,
  )

/** A web app that is set up. */
async function webApp(): Promise<{ name: string; environmentId: string; uat: string; production: string }> {
  const name = `a-${newId().slice(-12)}`
  const environmentId = await machine()
  const made = await installation.client.webApps.create({
    name,
    spec: { environment: environmentId, runtime: 'python', database: 'postgres' },
  })
  await untilApp(made.metadata.id, ({ status }) => status.phase === 'ready')
  return { name, environmentId, ...made.status.spaceIds }
}

const service = '\nsleep infinity\n'
/** What runs on: a server, and a worker of two instances. */
const shop = (more = '', release: readonly string[] = []) => `
[deploy]
release_commands = ${JSON.stringify(release)}
[processes.web]
command = ${JSON.stringify(service)}
http = true
[processes.worker]
command = ${JSON.stringify(service)}
instances = 2
${more}`

const deploy = async (space: string, configuration: string) =>
  send(installation, space, await appZip(configuration))
const servicesOf = async (environmentId: string) => {
  const { items } = await installation.client.services.list({ environmentId })
  return items.map(({ metadata, status, spec }) => ({
    name: metadata.name,
    phase: status.phase,
    of: spec.keptBy?.id,
  }))
}

test('a web app is made with its spaces, and what is uploaded runs in one', async () => {
  const { client } = installation
  const { name, environmentId, uat } = await webApp()
  const space = await client.spaces.get(uat)
  expect(space.metadata.name).toBe(`${name}-uat`)
  expect(space.status).toMatchObject({ phase: 'running', currentDeploymentId: null })
  expect((await client.spaces.why(uat)).sentence).toBe('nothing is deployed to it yet')
  const first = await deploy(uat, shop('', ['\necho migrated\n']))
  expect(first.status.phase).toBe('pending')
  const done = await untilOver(first.metadata.id)
  expect(done.status).toMatchObject({ phase: 'succeeded', isCurrent: true, failure: null })
  const after = await untilSpace(uat, ({ status }) => status.phase === 'running')
  expect(after.status).toMatchObject({
    currentDeploymentId: first.metadata.id,
    lastDeployment: { id: first.metadata.id, phase: 'succeeded' },
  })
  const ending = first.metadata.id.slice(-8)
  expect(await servicesOf(environmentId)).toEqual(
    ['web-1', 'worker-1', 'worker-2'].map((process) => ({
      name: `app-uat-${process}-${ending}`,
      phase: 'running',
      of: first.metadata.id,
    })),
  )
  const { items } = await client.jobs.list({ resourceId: first.metadata.id })
  expect(items).toMatchObject([{ operation: 'deployment.run', phase: 'succeeded' }])
  expect(items[0]?.log.map(({ message }) => message)).toEqual([
    'what was uploaded is deployed',
    'unpacking the archive, and installing what it depends on',
    'running the release commands',
    'release command 1 of 1 is done',
    'starting its processes',
    'all its processes are ready: leading requests to them',
    'requests are led to it',
  ])
})
