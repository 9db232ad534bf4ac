import { newId } from '@hearth/foundation'
import type { Installation } from './installation.ts'
import { publicKey } from './request-party.ts'

type Prepared = { path: string; body: unknown; other: unknown; otherPath?: string }

/** The POSTs that change how long machines live. */
export function lifePosts(
  installation: () => Installation,
  make: (path: string, body: unknown) => Promise<string>,
): { name: string; prepare(): Promise<Prepared> }[] {
  const life = { lifetimeSeconds: 3_600, idleSeconds: 600 }
  const project = async () => {
    const name = `p-${newId()}`.slice(0, 40)
    const { projectId } = await installation().client.apply({
      apiVersion: 'hearth/v1',
      name,
      warmPools: [{ min: 0 }],
    })
    return { name, projectId }
  }
  const machines = {
    claims: async () => {
      const { name } = await project()
      return make('/v1/claims', { spec: { project: name, publicKey: publicKey('l'), life } })
    },
    environments: async () => {
      const { projectId } = await project()
      const { metadata } = await installation().client.environmentClasses.get('small')
      return make('/v1/environments', {
        spec: { projectId, environmentClassId: metadata.id, life },
      })
    },
  }
  return (['claims', 'environments'] as const).flatMap((kind) => [
    {
      name: `${kind}/{id}/extend`,
      prepare: async () => ({
        path: `/v1/${kind}/${await machines[kind]()}/extend`,
        body: { seconds: 60 },
        other: { seconds: 61 },
      }),
    },
    {
      name: `${kind}/{id}/activity`,
      prepare: async () => ({
        path: `/v1/${kind}/${await machines[kind]()}/activity`,
        otherPath: `/v1/${kind}/${await machines[kind]()}/activity`,
        body: undefined,
        other: undefined,
      }),
    },
  ])
}
