import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { boundedLine, connectionSchema, startOfText, strictAddressSchema } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import { z } from 'zod'
import { writePrivateFile } from '../private-file.ts'
import { sshConfiguration } from './configuration.ts'

/** Access to one environment, as stored on this host: who opened it, its address, and until when it is valid. */
export const accessSchema = z.object({
  /** Id of the claim or environment that access was opened for. */
  id: z.uuid(),
  kind: z.enum(['claim', 'environment']),
  // Stricter than the API's schema: each value is written to a file that ssh reads.
  connection: connectionSchema.extend({
    address: strictAddressSchema,
    certificate: boundedLine(65_536, 1),
  }),
})
export type Access = z.infer<typeof accessSchema>

export function accessFolder(stateFolder: string, id: string): string {
  if (!isId(id))
    throw new HearthError('invalid', `${JSON.stringify(id)} is not the id of a claim or environment`)
  return join(stateFolder, 'access', id)
}

/** Path of the ssh configuration with the key, the certificate and the only host key to accept. */
export function configurationFile(stateFolder: string, id: string): string {
  return join(accessFolder(stateFolder, id), 'config')
}

/**
 * Writes certificate, pinned host key and ssh configuration, readable by their owner only. The address comes from a
 * host's report: a value that ssh could read as anything but an address, a user or a key is rejected, and nothing is
 * written.
 */
export function saveAccess(stateFolder: string, privateKeyFile: string, given: Access): void {
  const access = checked(given)
  const folder = accessFolder(stateFolder, access.id)
  const { address, certificate } = access.connection
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const files = {
    certificateFile: join(folder, 'certificate.pub'),
    knownHostsFile: join(folder, 'known_hosts'),
    privateKeyFile,
  }
  writePrivateFile(files.certificateFile, `${certificate.trim()}\n`)
  writePrivateFile(files.knownHostsFile, `${access.id} ${address.hostKey.trim()}\n`)
  writePrivateFile(join(folder, 'config'), sshConfiguration(access.id, address, files))
  writePrivateFile(join(folder, 'access.json'), `${JSON.stringify(access, null, 2)}\n`)
}

function checked(given: Access): Access {
  const { certificate } = given.connection
  const trimmed = { ...given, connection: { ...given.connection, certificate: certificate.trim() } }
  const parsed = accessSchema.safeParse(trimmed)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => {
    const value = path.reduce<unknown>(
      (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
      trimmed,
    )
    return `${path.join('.')} is ${startOfText(JSON.stringify(value) ?? 'nothing', 200)}, which is not ${message}`
  })
  throw new HearthError(
    'invalid',
    `the way into the machine is not written down for ssh: ${faults.join('; ')}. Its host reported that: tell who runs it`,
  )
}

/** The stored access to a claim or environment, or null. */
export function loadAccess(stateFolder: string, id: string): Access | null {
  try {
    const text = readFileSync(join(accessFolder(stateFolder, id), 'access.json'), 'utf8')
    return accessSchema.parse(JSON.parse(text))
  } catch {
    // Missing, or written by another version: access is requested again.
    return null
  }
}

export function forgetAccess(stateFolder: string, id: string): void {
  rmSync(accessFolder(stateFolder, id), { recursive: true, force: true })
}

/** A certificate that expires within two minutes could expire during the first command. */
const renewBeforeMilliseconds = 120_000

export function endsSoon(access: Access, now: Date): boolean {
  return Date.parse(access.connection.expiresAt) - now.getTime() < renewBeforeMilliseconds
}
