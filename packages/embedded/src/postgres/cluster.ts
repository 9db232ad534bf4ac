import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfPresent, writeWhole } from '../process/file.ts'
import { run } from '../process/run.ts'
import { checkReachable, giveTo, type ServiceUser } from '../process/service-user.ts'
import { dataFolder, socketFolder } from './settings.ts'

export const superuser = 'hearth'

interface ClusterOptions {
  folder: string
  /** Folder of initdb. */
  programs: string
  user: ServiceUser
  durable: boolean
  log(message: string): void
}

/** Makes the folder and the data in it, unless they are there; returns the superuser's password. */
export async function ensureCluster(options: ClusterOptions): Promise<string> {
  const { folder, user } = options
  await mkdir(folder, { recursive: true })
  // Others may pass through to what is theirs, and see nothing else.
  await chmod(folder, 0o711)
  await checkReachable(user, folder)
  await checkReachable(user, options.programs)
  await mkdir(socketFolder(folder), { recursive: true, mode: 0o700 })
  await giveTo(user, socketFolder(folder))
  const password = await ensurePassword(folder)
  if ((await readIfPresent(join(dataFolder(folder), 'PG_VERSION'))) === undefined)
    await initialize(options, password)
  return password
}

async function ensurePassword(folder: string): Promise<string> {
  const file = join(folder, 'password')
  const known = await readIfPresent(file)
  if (known !== undefined) return known.trim()
  const password = randomBytes(24).toString('base64url')
  await writeWhole(file, `${password}\n`, 0o600)
  return password
}

async function initialize(
  { folder, programs, user, durable, log }: ClusterOptions,
  password: string,
): Promise<void> {
  log(`making PostgreSQL's data in ${dataFolder(folder)}`)
  // Under another name until it is whole: an interrupted initdb leaves something that looks like data.
  const unfinished = join(folder, `data.${randomUUID()}`)
  const passwordFile = join(folder, `password.${randomUUID()}`)
  try {
    await mkdir(unfinished, { mode: 0o700 })
    await giveTo(user, unfinished)
    await writeWhole(passwordFile, password, 0o600)
    await giveTo(user, passwordFile)
    await run(
      join(programs, 'initdb'),
      [
        `--pgdata=${unfinished}`,
        `--username=${superuser}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
        ...(durable ? [] : ['--no-sync']),
      ],
      { user },
    )
    await rename(unfinished, dataFolder(folder))
  } finally {
    await rm(passwordFile, { force: true })
    await rm(unfinished, { recursive: true, force: true })
  }
}
