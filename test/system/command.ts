import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Installation } from './installation.ts'

export interface Ended {
  status: number
  stdout: string
  stderr: string
}

/** The bundled command as a separate process, as people run it. */
export function hearth(
  { url, token, folder }: Pick<Installation, 'url' | 'token' | 'folder'>,
  ...words: string[]
): Promise<Ended> {
  const program = join(import.meta.dirname, '../../packages/cli/dist/main.js')
  const env = { ...process.env, HEARTH_URL: url, HEARTH_TOKEN: token, HEARTH_STATE: join(folder, 'command') }
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...words], { env }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}
