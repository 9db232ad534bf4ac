import { type ProjectDeclarationInput, webAppImage } from '@hearth/contract'
import { goneIsNull } from '../kinds/gone-is-null.ts'
import type { View } from '../kinds/kind.ts'

const webClass = { virtualCpus: 1, memoryMebibytes: 2_048, diskGibibytes: 20, image: webAppImage }

/**
 * Makes the machine of an app, named like it, of the given class, or of one with the image for web apps. It is of the project
 * that is declared.
 */
export async function makeMachine(
  { client, signal }: View,
  name: string,
  className: string | undefined,
  declaration: ProjectDeclarationInput = { apiVersion: 'hearth/v1', name },
): Promise<string> {
  const reference = className ?? (await usualClass({ client, signal }))
  const environmentClass = await client.environmentClasses.get(reference, { signal })
  const { projectId } = await client.apply(declaration, { signal })
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
  if (!runners.some(({ status }) => status.facts?.images.includes(webAppImage) === true)) return 'small'
  await client.environmentClasses.create({ name: 'web', spec: webClass }, { signal })
  return 'web'
}
