import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'

const root = join(import.meta.dirname, '../..')
const sources = ['packages', 'control-plane', 'runner-agent']

/** The shipped bundle of a program, rebuilt when a source is newer. */
export async function bundle(program: 'runner-agent' | 'control-plane'): Promise<string> {
  const path = join(root, program, 'dist/main.js')
  const built = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (sources.some((folder) => newest(join(root, folder)) > built)) {
    await run([process.execPath, join(root, 'scripts/build.mjs')])
  }
  return path
}

/** When the newest source below the folder was written, in milliseconds since 1970. */
function newest(folder: string): number {
  const times = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'dist', '.types'].includes(entry.name) ? 0 : newest(path)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? statSync(path).mtimeMs : 0
  })
  return Math.max(0, ...times)
}
