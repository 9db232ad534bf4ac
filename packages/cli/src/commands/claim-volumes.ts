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

/** A volume that there is, and where it is to be mounted. */
export interface FoundVolume {
  volume: Volume
  mountPath: string | undefined
}

/** The volumes that are wished for: the project's own of each name, or else the one of that name. */
export async function findVolumes(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  wishes: readonly VolumeWish[],
  project: string,
): Promise<FoundVolume[]> {
  if (wishes.length === 0) return []
  const { metadata } = await client.projects.get(project, { signal })
  const found: FoundVolume[] = []
  for (const { name, mountPath } of wishes) {
    const own = await client.volumes.get(`${metadata.name}-${name}`, { signal }).catch(goneIsNull)
    found.push({ volume: own ?? (await client.volumes.get(name, { signal })), mountPath })
  }
  return found
}

/** The runner on whose host volumes are, which their machine has to be on; undefined where none has a host yet. */
export function runnerOf(found: readonly FoundVolume[]): string | undefined {
  const placed = found.flatMap(({ volume: { metadata, status } }) =>
    status.runnerId === null ? [] : [{ name: metadata.name, runnerId: status.runnerId }],
  )
  const [first] = placed
  const other = placed.find(({ runnerId }) => runnerId !== first?.runnerId)
  if (first !== undefined && other !== undefined)
    throw new CommandError(
      `volumes ${first.name} and ${other.name} are on different hosts, and no machine can have both`,
      exitCodes.failure,
    )
  return first?.runnerId
}

/** Attaches a volume to a claim that has its machine. */
export async function attachToClaim(
  view: View,
  { found, claim }: { found: FoundVolume; claim: { id: string; name: string } },
  invocation: Invocation,
): Promise<Volume> {
  const { client, signal } = view
  const { volume, mountPath } = found
  const { id, name } = volume.metadata
  try {
    const asked = await client.volumes.attach(id, { claim: claim.id, mountPath }, { signal })
    return await followVolume(view, asked, invocation)
  } catch (thrown) {
    if (signal.aborted) throw thrown
    throw new CommandError(
      `claim ${claim.name} has its machine, and volume ${name} is not attached to it: ${toError(thrown).message}`,
      exitCodes.failure,
    )
  }
}
