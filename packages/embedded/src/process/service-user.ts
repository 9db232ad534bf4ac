import { chown, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HearthError } from '@hearth/foundation'

/** Whom a server runs as; undefined for whoever runs this process. */
export type ServiceUser = { uid: number; gid: number } | undefined

/** PostgreSQL refuses to run as root and no server needs it, so root's servers run as `nobody`. */
export async function serviceUser(): Promise<ServiceUser> {
  if (process.getuid?.() !== 0) return undefined
  const accounts = await readFile('/etc/passwd', 'utf8')
  const fields = accounts
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody')
  if (fields === undefined) {
    throw new HearthError(
      'unavailable',
      'there is no user `nobody` to run the servers as; run Hearth as another user than root',
    )
  }
  return { uid: Number(fields[2]), gid: Number(fields[3]) }
}

export async function giveTo(user: ServiceUser, path: string): Promise<void> {
  if (user !== undefined) await chown(path, user.uid, user.gid)
}

/** Throws, naming the folder in the way, when the user could not reach the path. */
export async function checkReachable(user: ServiceUser, path: string): Promise<void> {
  if (user === undefined) return
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) {
      throw new HearthError(
        'unavailable',
        `the user nobody, whom the servers run as, cannot enter ${folder}: choose another state folder (HEARTH_STATE), or run \`chmod o+x ${folder}\``,
      )
    }
    if (folder === dirname(folder)) return
  }
}
