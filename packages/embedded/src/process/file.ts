import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'

export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined
    throw thrown
  }
}

/** The file has the old content or the new, never a part of it, and the mode from its first moment. */
export async function writeWhole(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  await writeFile(temporary, content, { mode, flag: 'wx' })
  await rename(temporary, path)
}
