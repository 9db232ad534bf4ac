import type { HearthClient } from '@hearth/client'
import type { kinds } from '@hearth/contract'
import { appZip, deploy } from './app-zip.ts'
import { newPublicKey } from './public-key.ts'
import { startRunningMachine } from './running-machine.ts'

/** What the routes of one kind take; the common cases in routes.test.ts run for every kind. */
export interface KindRoutes {
  /** A body that creates a resource, a new one at each call; null for a read-only kind. */
  body: ((name: string, client: HearthClient) => object | Promise<object>) | null
  /** Where the resource is in the answer; by default it is the whole answer. */
  made?: string
  /** Makes one, where that is not by a route of the kind. */
  makeOtherwise?: (name: string, client: HearthClient, token: string) => Promise<unknown>
  /** The answer's field with a token that can see the resource's events, if the caller's cannot. */
  eventToken?: string
  /** A token that may not create a resource. */
  refused: 'viewer' | 'member' | 'join'
  /** A body that changes a resource; null for a kind without PATCH. */
  change: object | null
  /** How the change shows in the answer; by default it is the body. */
  changed?: object
  /** Status of the answer to a deletion; null for a kind without DELETE. */
  deletion: 200 | 202 | null
  /** True for a kind without a route that shows one resource. */
  isNotShown?: boolean
  /** True for a kind whose deletion does not check versions. */
  hasNoVersion?: boolean
}

const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }

async function projectAndClass(name: string, client: HearthClient) {
  const project = await client.projects.create({ name: `of-${name}`, spec: {} })
  const environmentClass = await client.environmentClasses.get('small')
  return { projectId: project.metadata.id, environmentClassId: environmentClass.metadata.id }
}

const makeWebApp = async (name: string, client: HearthClient) =>
  client.webApps.create({
    name,
    spec: { environment: await startRunningMachine(client), runtime: 'python' },
  })

/** One entry for each kind; routes.test.ts fails for a kind without one. */
export const kindRoutes: Partial<Record<keyof typeof kinds, KindRoutes>> = {
  Organization: {
    body: (name) => ({ name, spec: { displayName: name } }),
    made: 'organization',
    eventToken: 'token',
    refused: 'member',
    change: { spec: { displayName: 'changed' } },
    deletion: null,
  },
  Token: {
    body: (name) => ({ name, roles: ['viewer'] }),
    refused: 'member',
    change: null,
    deletion: 200,
    isNotShown: true,
    hasNoVersion: true,
  },
  Volume: {
    body: (name) => ({ name, spec: { sizeMebibytes: 64 } }),
    refused: 'viewer',
    change: { spec: { sizeMebibytes: 128 } },
    deletion: 202,
  },
  Snapshot: {
    body: async (name, client) => ({ name, spec: { environment: await startRunningMachine(client) } }),
    refused: 'viewer',
    change: null,
    deletion: 202,
  },
  Prebuild: {
    body: async (name, client) => ({ spec: await projectAndClass(name, client) }),
    refused: 'viewer',
    change: null,
    deletion: 202,
  },
  Session: {
    body: (name) => ({ name, spec: { file: 'hearth.yaml', exitCondition: 'ci' } }),
    refused: 'viewer',
    change: { spec: { detached: true } },
    deletion: 200,
  },
  Observer: {
    body: (name) => ({ name, hours: 2 }),
    made: 'observer',
    refused: 'join',
    change: null,
    deletion: 200,
    hasNoVersion: true,
  },
  Runner: {
    body: (name) => ({ name }),
    made: 'runner',
    refused: 'member',
    change: { spec: { scheduling: 'cordoned' } },
    deletion: 200,
  },
  EnvironmentClass: {
    body: (name) => ({ name, spec: size }),
    refused: 'member',
    change: { spec: { memoryMebibytes: 1_024 } },
    deletion: 200,
  },
  Project: {
    body: (name) => ({ name, spec: { setup: ['make'] } }),
    refused: 'viewer',
    change: { spec: { onHostLoss: 'recreate' } },
    deletion: 202,
  },
  WarmPool: {
    body: async (name, client) => ({ spec: { ...(await projectAndClass(name, client)), min: 0 } }),
    refused: 'viewer',
    change: { spec: { maxAgeMinutes: 60 } },
    deletion: 202,
  },
  Environment: {
    body: async (name, client) => ({ name, spec: await projectAndClass(name, client) }),
    refused: 'viewer',
    change: { labels: { changed: 'yes' } },
    changed: { metadata: { labels: { changed: 'yes' } } },
    deletion: 202,
  },
  Claim: {
    body: async (name, client) => {
      const spec = { ...(await projectAndClass(name, client)), min: 0 }
      const { metadata } = await client.warmPools.create({ spec })
      return { spec: { warmPoolId: metadata.id, publicKey: newPublicKey() } }
    },
    refused: 'viewer',
    change: null,
    deletion: 202,
  },
  UserSecret: {
    body: (name) => ({ spec: { gitHost: `${name}.example.com`, value: 'a token' } }),
    refused: 'viewer',
    change: { spec: { expiresAt: '2099-01-01T00:00:00.000Z' } },
    deletion: 200,
  },
  WebApp: {
    body: async (name, client) => ({
      name,
      spec: { environment: await startRunningMachine(client), runtime: 'python' },
    }),
    refused: 'viewer',
    change: { spec: { emoji: '🛒' } },
    deletion: 202,
  },
  // They are made and deleted with their web app.
  Space: { body: null, makeOtherwise: makeWebApp, refused: 'viewer', change: null, deletion: null },
  Deployment: {
    body: null,
    makeOtherwise: async (name, client, token) => {
      const { status } = await makeWebApp(name, client)
      const zip = await appZip('[processes.web]\ncommand = "node server.js"\n')
      return deploy({ url: client.url, token }, status.spaceIds.uat, zip)
    },
    refused: 'viewer',
    change: null,
    deletion: null,
  },
  Task: {
    body: async (name, client) => ({
      name,
      spec: { environment: await startRunningMachine(client), command: 'make' },
    }),
    refused: 'viewer',
    change: { labels: { changed: 'yes' } },
    changed: { metadata: { labels: { changed: 'yes' } } },
    deletion: 202,
  },
  Service: {
    body: async (name, client) => ({
      name,
      spec: { environment: await startRunningMachine(client), command: 'make run' },
    }),
    refused: 'viewer',
    change: { labels: { changed: 'yes' } },
    changed: { metadata: { labels: { changed: 'yes' } } },
    deletion: 202,
  },
  Route: {
    body: async (name, client) => ({
      name,
      spec: { environment: await startRunningMachine(client), port: 3_000 },
    }),
    refused: 'viewer',
    change: { spec: { port: 8_080 } },
    deletion: 202,
  },
  Pipeline: {
    body: (name) => ({ name, spec: { program: { code: 'CREATE TABLE t (a INT)' } } }),
    refused: 'viewer',
    change: { spec: { description: 'changed' } },
    deletion: 200,
  },
  Job: { body: null, refused: 'join', change: null, deletion: null },
}
