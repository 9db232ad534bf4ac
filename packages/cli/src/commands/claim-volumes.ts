import { type Volume, volumeAttachSchema } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import { InvalidArgumentError } from 'commander'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { followVolume } from '../following/follow-volume.ts'
import type { Invocation } from '../invocation.ts'
import { goneIsNull } from '../kinds/gone-is-null.ts'
import type { View } from '../kinds/kind.ts'

/** A volume that a claim is to have, as `--volume` names it. */
export interface VolumeWish {
  name: string
  mountPath: string | undefined
}

/** `NAME` or `NAME:PATH`, repeated. */
export function addVolume(text: string, wishes: VolumeWish[] = []): VolumeWish[] {
  const [, name = '', path] = /^([^:]+)(?::(.*))?$/.exec(text) ?? []
  const isPath = volumeAttachSchema.shape.mountPath.safeParse(path).success
  if (name === '' || !isPath) throw new InvalidArgumentError('a volume is NAME, or NAME:/ABSOLUTE/PATH.')
  return [...wishes, { name, mountPath: path }]
}

/** Attaches a volume to a claim that has its machine: the project's own of that name, or else the one of that name. */
export async function attachToClaim(
  view: View,
  { wish, project, claim }: { wish: VolumeWish; project: string; claim: { id: string; name: string } },
  invocation: Invocation,
): Promise<Volume> {
  const { client, signal } = view
  const { name, mountPath } = wish
  try {
    const { metadata } = await client.projects.get(project, { signal })
    const own = await client.volumes.get(`${metadata.name}-${name}`, { signal }).catch(goneIsNull)
    const reference = own?.metadata.id ?? name
    const asked = await client.volumes.attach(reference, { claim: claim.id, mountPath }, { signal })
    return await followVolume(view, asked, invocation)
  } catch (thrown) {
    if (signal.aborted) throw thrown
    throw new CommandError(
      `claim ${claim.name} has its machine, and volume ${name} is not attached to it: ${toError(thrown).message}`,
      exitCodes.failure,
    )
  }
}
