import type { HearthClient } from '@hearth/client'
import type { kinds } from '@hearth/contract'
import { newPublicKey } from './public-key.ts'

/** What the routes of one kind take; the shared cases of routes.test.ts run over all of them. */
export interface KindRoutes {
  /** A body that makes one, a new one each time; null for a kind that is only read. */
  body: ((name: string, client: HearthClient) => object | Promise<object>) | null
  /** Where the resource stands in the answer to that: by default it is the answer. */
  made?: string
  /** Where the answer has a token that sees its events, when those are not of the caller's organization. */
  eventToken?: string
  /** A token that may not make one. */
  refused: 'viewer' | 'member' | 'join'
  /** A body that changes one; null for a kind without PATCH. */
  change: object | null
  /** What is seen of that in the answer: by default the same. */
  changed?: object
  /** What a deletion answers; null for a kind without DELETE. */
  deletion: 200 | 202 | null
  /** A kind of which one is not shown. */
  isNotShown?: boolean
  /** A kind whose deletion does not look at versions. */
  hasNoVersion?: boolean
}

const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }

async function projectAndClass(name: string, client: HearthClient) {
  const project = await client.projects.create({ name: `of-${name}`, spec: {} })
  const environmentClass = await client.environmentClasses.get('small')
  return { projectId: project.metadata.id, environmentClassId: environmentClass.metadata.id }
}

/** What is said of each kind; routes.test.ts fails for one that is not in it. */
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
  Job: { body: null, refused: 'join', change: null, deletion: null },
}
