import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connectionSchema } from '@hearth/contract'
import { z } from 'zod'
import { writePrivateFile } from '../private-file.ts'
import { sshConfiguration } from './configuration.ts'

/** The way into one machine, as kept on this machine: who opened it, how it is reached, and until when. */
export const accessSchema = z.object({
  /** Of the claim or environment it was opened for. */
  id: z.uuid(),
  kind: z.enum(['claim', 'environment']),
  connection: connectionSchema,
})
export type Access = z.infer<typeof accessSchema>

export function accessFolder(stateFolder: string, id: string): string {
  return join(stateFolder, 'access', id)
}

/** The ssh configuration that holds the key, the certificate and the one host key to accept. */
export function configurationFile(stateFolder: string, id: string): string {
  return join(accessFolder(stateFolder, id), 'config')
}

/** Writes certificate, pinned host key and ssh configuration, readable by their owner only. */
export function saveAccess(stateFolder: string, privateKeyFile: string, access: Access): void {
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

/** What was kept for a claim or environment, or null. */
export function loadAccess(stateFolder: string, id: string): Access | null {
  try {
    const text = readFileSync(join(accessFolder(stateFolder, id), 'access.json'), 'utf8')
    return accessSchema.parse(JSON.parse(text))
  } catch {
    // Absent, or written by another version: it is asked for anew.
    return null
  }
}

export function forgetAccess(stateFolder: string, id: string): void {
  rmSync(accessFolder(stateFolder, id), { recursive: true, force: true })
}

/** A certificate that ends within two minutes would end under the first command. */
const renewBeforeMilliseconds = 120_000

export function endsSoon(access: Access, now: Date): boolean {
  return Date.parse(access.connection.expiresAt) - now.getTime() < renewBeforeMilliseconds
}
