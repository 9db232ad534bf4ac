import { type ChildProcess, execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Installation } from './installation.ts'

export interface Ended {
  status: number
  stdout: string
  stderr: string
}

/** The bundled command as a separate process, as people run it. */
export const hearth = (
  installation: Pick<Installation, 'url' | 'token' | 'folder'>,
  ...words: string[]
): Promise<Ended> => startHearth(installation, words).ended

/** The same, with further environment variables, in a folder, and with the process, for signals. */
export function startHearth(
  { url, token, folder }: Pick<Installation, 'url' | 'token' | 'folder'>,
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  cwd?: string,
): { process: ChildProcess; ended: Promise<Ended> } {
  const program = join(import.meta.dirname, '../../packages/cli/dist/main.js')
  const own = { HEARTH_URL: url, HEARTH_TOKEN: token, HEARTH_STATE: join(folder, 'command') }
  const env = { ...process.env, ...own, ...variables }
  let child: ChildProcess | undefined
  const ended = new Promise<Ended>((resolve) => {
    child = execFile(process.execPath, [program, ...words], { env, cwd }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
  return { process: child as ChildProcess, ended }
}
