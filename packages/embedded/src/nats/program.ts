import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HearthError, toError } from '@hearth/foundation'
import { run } from '../process/run.ts'

interface FindOptions {
  /** Where it is unpacked to when the machine has none. */
  programs: string
  /** A path that was given: it is used or refused, and nothing else is looked for. */
  given?: string
  log(message: string): void
}

/** Where the NATS server's program is: given, on the PATH, in /usr/sbin, or fetched from the system's packages. */
export async function findNatsServer({ programs, given, log }: FindOptions): Promise<string> {
  if (given !== undefined) {
    if (await runs(given)) return given
    throw new HearthError('unavailable', `${given} is not a NATS server that runs here`)
  }
  const unpacked = join(programs, 'nats-server', 'usr', 'sbin', 'nats-server')
  for (const candidate of ['nats-server', '/usr/sbin/nats-server', unpacked]) {
    if (await runs(candidate)) return candidate
  }
  log(
    `this machine has no nats-server: fetching Debian's package and unpacking it in ${programs} (nothing is installed)`,
  )
  try {
    await fetchPackage(programs, log)
  } catch (thrown) {
    if (!(await runs(unpacked))) throw missing(thrown)
  }
  if (!(await runs(unpacked))) throw missing(new Error('the package holds no program that runs here'))
  return unpacked
}

async function fetchPackage(programs: string, log: (message: string) => void): Promise<void> {
  await mkdir(programs, { recursive: true, mode: 0o755 })
  const temporary = join(programs, `nats-server.${randomUUID()}`)
  await mkdir(temporary, { mode: 0o755 })
  try {
    await download(temporary, log)
    const archive = (await readdir(temporary)).find((name) => name.endsWith('.deb'))
    if (archive === undefined) throw new Error('apt-get fetched no package')
    await run('dpkg', ['-x', join(temporary, archive), temporary])
    await rm(join(temporary, archive))
    await rename(temporary, join(programs, 'nats-server'))
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function download(folder: string, log: (message: string) => void): Promise<void> {
  const fetch = () => run('apt-get', ['-q', 'download', 'nats-server'], { folder })
  try {
    await fetch()
  } catch (thrown) {
    if (process.getuid?.() !== 0) throw thrown
    log('apt-get did not find nats-server: updating its package lists')
    await run('apt-get', ['-q', 'update'])
    await fetch()
  }
}

function runs(program: string): Promise<boolean> {
  return run(program, ['--version']).then(
    (output) => output.includes('nats-server'),
    () => false,
  )
}

function missing(thrown: unknown): HearthError {
  return new HearthError(
    'unavailable',
    `there is no nats-server and it could not be fetched (${toError(thrown).message}): install it, for example with \`apt-get install nats-server\`, or use a server of your own with HEARTH_NATS_URL`,
    { cause: thrown },
  )
}
