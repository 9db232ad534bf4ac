import { readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { attempt, run } from './command.ts'

/**
 * The files below a folder of layers in which grep finds each of the texts, as they stand on the host and, for disks, as a
 * machine that stands on them reads them (`… read`).
 */
export async function filesWith(texts: readonly string[], layersFolder: string): Promise<string[][]> {
  const found = texts.map((): string[] => [])
  const search = async (path: string, name: string) => {
    for (const [index, text] of texts.entries()) {
      const { exitCode, stdout, stderr } = await attempt(['grep', '-c', '-F', '-e', text, path])
      if (exitCode > 1) throw new Error(`${path} cannot be searched: ${stderr}`)
      if (Number(stdout) > 0) found[index]?.push(name)
    }
  }
  for (const entry of await readdir(layersFolder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = relative(layersFolder, path)
    await search(path, name)
    if (!path.endsWith('.qcow2')) continue
    const whole = `${layersFolder}.raw`
    await run(['qemu-img', 'convert', '-U', '-O', 'raw', path, whole])
    await search(whole, `${name} read`)
    await rm(whole)
  }
  return found
}
