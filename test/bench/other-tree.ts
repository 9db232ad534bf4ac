import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@hearth/testing'
import type { Programs } from './service.ts'

const execute = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/** Another commit's programs, built in a folder of their own. */
export interface OtherTree extends Disposable {
  programs: Programs
}

/** Takes about half a minute. The packages come from pnpm's store where that has them. */
export async function buildOtherTree(commit: string): Promise<OtherTree> {
  const folder = await temporaryFolder('bench-other')
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    const archive = join(folder, 'tree.tar')
    await execute('git', ['-C', root, 'archive', '--output', archive, commit])
    await execute('tar', ['-xf', archive, '-C', folder])
    const { packageManager } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      packageManager: string
    }
    const install = ['-y', packageManager, 'install', '--frozen-lockfile', '--prefer-offline']
    await execute('npx', install, { cwd: folder, maxBuffer: 16 * 1024 ** 2 })
    await execute(process.execPath, ['scripts/build.mjs'], { cwd: folder })
  } catch (error) {
    remove()
    throw error
  }
  return {
    programs: async (program) => {
      const path = join(folder, program, 'dist/main.js')
      if (!existsSync(path)) throw new Error(`${commit} has no ${path}`)
      return path
    },
    [Symbol.dispose]: remove,
  }
}
