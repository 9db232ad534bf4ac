import { readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { attempt, run } from './command.ts'

/**
 * The files below a folder of layers in which grep finds the text, as they stand on the host and, for disks, as a machine
 * that stands on them reads them (`… read`).
 */
export async function filesWith(text: string, layersFolder: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(layersFolder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = relative(layersFolder, path)
    if (await holds(path, text)) found.push(name)
    if (!path.endsWith('.qcow2')) continue
    const whole = `${layersFolder}.raw`
    await run(['qemu-img', 'convert', '-U', '-O', 'raw', path, whole])
    if (await holds(whole, text)) found.push(`${name} read`)
    await rm(whole)
  }
  return found
}

async function holds(path: string, text: string): Promise<boolean> {
  const { exitCode, stdout, stderr } = await attempt(['grep', '-c', '-F', '-e', text, path])
  if (exitCode > 1) throw new Error(`${path} cannot be searched: ${stderr}`)
  return Number(stdout) > 0
}
