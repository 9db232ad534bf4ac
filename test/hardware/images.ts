import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imagesCache } from './cache.ts'
import { run } from './command.ts'

const script = join(import.meta.dirname, '../../deploy/images/build-base-image.sh')
const buildMilliseconds = 15 * 60_000

const variants = {
  'debian-12': [],
  'debian-12-web': ['--with', 'web'],
  'debian-12-untuned': ['--untuned'],
  'debian-12-cloud-init': ['--variant', 'cloud-init'],
} as const

export type ImageName = keyof typeof variants

/** The folder of the named base image; built unless the cache holds it as the current script builds it. */
export async function baseImage(name: ImageName): Promise<string> {
  const output = join(await imagesCache(), name)
  await run(['bash', script, '--output', output, '--name', name, ...variants[name]], {
    timeoutMilliseconds: buildMilliseconds,
  })
  return output
}

/** Puts a base image into a host's folder of images without a copy. */
export async function offerImage(imagesFolder: string, name: ImageName): Promise<void> {
  await mkdir(imagesFolder, { recursive: true })
  await symlink(await baseImage(name), join(imagesFolder, name))
}

/** A guest whose kernel runs only a wait, or the given command line: it never answers over SSH. */
export async function offerMuteImage(
  imagesFolder: string,
  name: string,
  commandLine = 'console=ttyS0 rdinit=/bin/busybox -- sleep 1000000',
): Promise<void> {
  const source = await baseImage('debian-12')
  const folder = join(imagesFolder, name)
  await mkdir(folder, { recursive: true })
  const image: object = JSON.parse(await readFile(join(source, 'image.json'), 'utf8'))
  const files = { disk: 'disk.qcow2', kernel: 'vmlinuz', initrd: 'initrd.img' }
  for (const file of Object.values(files)) await symlink(join(source, file), join(folder, file))
  await writeFile(join(folder, 'image.json'), JSON.stringify({ ...image, ...files, name, commandLine }))
}
