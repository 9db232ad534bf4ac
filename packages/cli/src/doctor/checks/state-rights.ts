import { existsSync, readdirSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runnersBelow } from '../agents.ts'
import type { Check, Finding } from '../finding.ts'

export interface PathMode {
  path: string
  mode: number
}

const check = 'state folder rights'

export const stateRightsCheck: Check = {
  name: check,
  async examine({ stateFolder, isRoot, variables }) {
    if (!existsSync(stateFolder)) {
      return [{ check, level: 'ok', message: `${stateFolder} is not there yet; \`hearth dev\` makes it` }]
    }
    // An unprivileged user's machines run as that user, who may enter every folder.
    const passable = isRoot ? [...ancestors(stateFolder), ...folders(stateFolder)] : []
    return judgeStateRights(passable, [...secrets(stateFolder), ...machineFiles(stateFolder, variables)])
  },
}

/** `passable`: the users of QEMU and PostgreSQL must be able to enter it; `secret`: only its owner may access it. */
export function judgeStateRights(passable: readonly PathMode[], secret: readonly PathMode[]): Finding[] {
  const closed = passable.filter(({ mode }) => (mode & 0o001) === 0)
  const open = secret.filter(({ mode }) => (mode & 0o077) !== 0)
  const findings: Finding[] = [
    ...closed.map(
      ({ path }): Finding => ({
        check,
        level: 'problem',
        message: `${path} is closed to the users that QEMU and PostgreSQL run as`,
        remedy: `chmod o+x ${path}   (or another state folder with --state)`,
      }),
    ),
    ...open.map(
      ({ path, mode }): Finding => ({
        check,
        level: 'problem',
        message: `${path} is not for others, who can read it (mode ${(mode & 0o777).toString(8)})`,
        remedy: `chmod go= ${path}`,
      }),
    ),
  ]
  return findings.length > 0
    ? findings
    : [{ check, level: 'ok', message: 'passable where it must be, secrets closed' }]
}

function ancestors(folder: string): PathMode[] {
  const own = { path: folder, mode: statSync(folder).mode }
  const above = dirname(folder)
  return above === folder ? [own] : [...ancestors(above), own]
}

/** Paths that QEMU's user must be able to enter to reach disks and images. */
function folders(stateFolder: string): PathMode[] {
  const names = readdirSync(stateFolder).filter((name) => name === 'images' || /^agent(-\d+)?$/.test(name))
  return names.map((name) => ({
    path: join(stateFolder, name),
    mode: statSync(join(stateFolder, name)).mode,
  }))
}

/** The first file of a machine that others may read: one file is enough to report. */
function machineFiles(
  stateFolder: string,
  variables: Readonly<Record<string, string | undefined>>,
): PathMode[] {
  const machines = runnersBelow(stateFolder, variables).folders.map((folder) => join(folder, 'environments'))
  for (const folder of machines.filter((path) => existsSync(path))) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      const stats = entry.isFile() ? statSync(path, { throwIfNoEntry: false }) : undefined
      if (stats !== undefined && (stats.mode & 0o077) !== 0) return [{ path, mode: stats.mode }]
    }
  }
  return []
}

// A secret in a folder that only its owner may enter is protected by that folder.
function secrets(stateFolder: string): PathMode[] {
  const files = [
    'context.json',
    'control-plane/encryption.key',
    'control-plane/bootstrap-token',
    'postgres/password',
  ]
  const agents = readdirSync(stateFolder).filter((name) => name.startsWith('agent'))
  const all = [...files, ...agents.map((name) => join(name, 'runner.json')), 'ssh/id_ed25519']
  return all.flatMap((name) => {
    const path = join(stateFolder, name)
    const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false })
    const folder = dirname(path)
    const closedFolder =
      folder !== stateFolder && (statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & 0o077
    return stats === undefined || closedFolder === 0 ? [] : [{ path, mode: stats.mode }]
  })
}
