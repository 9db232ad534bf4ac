import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The logs of the programs under test in which a text is. */
export async function searchLogs(folder: string, text: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const found = await Promise.all(
    names.map(async (name) =>
      (await readFile(join(folder, name))).includes(text) ? [`the log ${name}`] : [],
    ),
  )
  return found.flat()
}
