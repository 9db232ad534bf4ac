import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

const notOurs = new Set(['node_modules', 'dist', 'generated', '.types', 'coverage', '.git', '.state'])

/** Every written (not built) file below a folder of the project, as a path from the project's root. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (notOurs.has(entry.name)) return []
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

/** All TypeScript files of every workspace, including tests. */
export function sourceFiles(): string[] {
  return ['packages', 'control-plane', 'runner-agent', 'test']
    .flatMap(filesBelow)
    .filter((path) => /\.m?ts$/.test(path))
}

export const isTest = (path: string): boolean =>
  /\.(test|fixture)\.ts$/.test(path) || /^(test|packages\/testing)\//.test(path)

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

export const fromRoot = (path: string): string => relative(root, path)

/** `path:line` of every line that matches the pattern. */
export function linesWith(path: string, pattern: RegExp): string[] {
  return read(path)
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
}
