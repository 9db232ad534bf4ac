import { type ApplyResult, type ProjectDeclaration, parseVolumeSize } from '@hearth/contract'
import { invalidValue } from '@hearth/foundation'
import type { CommandContext } from '../../api/command.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { changeVolume, createVolume, volumes } from '../volume/index.ts'

const longestName = 63

/**
 * Makes each volume of a project once, under the project's name and its own, and enlarges it where the file says more. What is on
 * a volume is nobody's to give up but a person's: one that the file no longer names, or names smaller, stays as it is.
 */
export async function applyVolumes(
  tx: DatabaseTransaction,
  context: CommandContext,
  declaration: ProjectDeclaration,
): Promise<ApplyResult['volumes']> {
  const results: ApplyResult['volumes'] = []
  for (const [name, { size, mountPath }] of Object.entries(declaration.volumes))
    results.push(await applyVolume(tx, context, declaration.name, { name, size, mountPath }))
  return results
}

async function applyVolume(
  tx: DatabaseTransaction,
  context: CommandContext,
  project: string,
  declared: { name: string; size: string; mountPath: string | undefined },
): Promise<ApplyResult['volumes'][number]> {
  const name = `${project}-${declared.name}`
  if (name.length > longestName)
    throw invalidValue({
      field: `body.volumes.${declared.name}`,
      given: name,
      expected: `a name that is at most ${longestName} characters long together with that of the project`,
    })
  const sizeMebibytes = parseVolumeSize(declared.size) ?? 0
  const before = await volumes.find(tx, context.caller, name)
  if (before === undefined) {
    const mountPath = declared.mountPath ?? `/volumes/${declared.name}`
    const spec = { sizeMebibytes, mountPath, runnerSelector: {} }
    const { id } = await createVolume.run(tx, context, { name, labels: {}, spec }, undefined)
    return { id, name, change: 'created' }
  }
  const { id, size_mebibytes: present } = before
  if (before.desired === 'delete' || before.is_snapshot || present >= sizeMebibytes)
    return { id, name, change: 'unchanged' }
  await changeVolume.run(tx, context, { reference: id, body: { spec: { sizeMebibytes } } }, undefined)
  return { id, name, change: 'updated' }
}
