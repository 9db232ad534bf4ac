import { readFile } from 'node:fs/promises'
import { join, normalize } from 'node:path'

const mostBytes = 64 * 1024
const home = '/home/'

/** The text of a file below `/home` of a guest, from the folder that stands for it; null as in other guests. */
export async function readRepositoryFile(folder: string | null, path: string): Promise<string | null> {
  const wanted = normalize(path)
  if (folder === null || !wanted.startsWith(home)) return null
  try {
    const content = await readFile(join(folder, wanted.slice(home.length)))
    return content.length > mostBytes ? null : content.toString('utf8')
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw thrown
  }
}
