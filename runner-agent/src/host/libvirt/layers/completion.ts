import type { Authority } from '../../authority.ts'
import { HostError } from '../../host-error.ts'
import type { LayerFileName } from '../../layer.ts'
import { digestFiles } from './digest.ts'
import type { LayerFileContent } from './layer-file.ts'
import type { LayerFolder } from './layer-folder.ts'
import type { LayerPlace } from './layer-place.ts'

/**
 * Makes a layer present whose files are complete: nobody writes to them from now on, and what they are is taken down.
 * `totalBytes` of the given facts are those of the layers below.
 */
export async function completeLayer(
  place: LayerPlace,
  folder: LayerFolder,
  content: LayerFileContent,
  authority: Authority,
): Promise<void> {
  const names: LayerFileName[] = content.facts.memory === null ? ['disk'] : ['disk', 'memory']
  const paths = names.map((name) => folder.file(name))
  await authority.assertHeld()
  await place.closeFiles(folder.disk, names.includes('memory') ? folder.memory : null)
  const sizes = await place.runner.run([
    'sh',
    '-c',
    // A disk that lost its last bytes with the host's power would keep its machine from starting; a memory only boots.
    'sync -- "$1" && stat -c %s -- "$@"',
    'sh',
    ...paths,
  ])
  if (sizes.exitCode !== 0)
    throw new HostError('host_refused', `the layer is not complete: ${sizes.stderr.trim()}`)
  const [disk = 0, memory = 0] = sizes.stdout.trim().split('\n').map(Number)
  const [diskDigest = '', memoryDigest = ''] = await digestFiles(place.runner, paths, disk + memory)
  await place.integrity.note(folder, names)
  await authority.assertHeld()
  await folder.write({
    ...content,
    phase: 'present',
    facts: {
      ...content.facts,
      disk: { bytes: disk, digest: diskDigest },
      memory: names.includes('memory') ? { bytes: memory, digest: memoryDigest } : null,
      totalBytes: content.facts.totalBytes + disk,
    },
  })
}
