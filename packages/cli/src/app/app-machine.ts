import { goneIsNull } from '../kinds/gone-is-null.ts'
import type { View } from '../kinds/kind.ts'

const image = 'debian-12-web'
const webClass = { virtualCpus: 1, memoryMebibytes: 2_048, diskGibibytes: 20, image }

/** Makes the machine of an app, named like it, of the given class, or of one with the image for web apps. */
export async function makeMachine(
  { client, signal }: View,
  name: string,
  className: string | undefined,
): Promise<string> {
  const reference = className ?? (await usualClass({ client, signal }))
  const environmentClass = await client.environmentClasses.get(reference, { signal })
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name }, { signal })
  const { metadata } = await client.environments.create(
    { name, spec: { projectId, environmentClassId: environmentClass.metadata.id } },
    { signal },
  )
  return metadata.id
}

/** The class `web`, which is made where a host has the image for web apps; `small` where none has. */
async function usualClass({ client, signal }: Pick<View, 'client' | 'signal'>): Promise<string> {
  if ((await client.environmentClasses.get('web', { signal }).catch(goneIsNull)) !== null) return 'web'
  const runners = await client.runners.listAll({}, { signal })
  if (!runners.some(({ status }) => status.facts?.images.includes(image) === true)) return 'small'
  await client.environmentClasses.create({ name: 'web', spec: webClass }, { signal })
  return 'web'
}
