import { chmod, mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** What every test run of this user shares: only programs, which are the same for all. */
export async function programsFolder(): Promise<string> {
  const folder = join(tmpdir(), `hearth-testing-${userInfo().uid}`, 'programs')
  await mkdir(folder, { recursive: true, mode: 0o755 })
  return folder
}

/** A new folder that the user a server runs as can pass through. */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `hearth-${name}-`))
  await chmod(folder, 0o711)
  return folder
}
