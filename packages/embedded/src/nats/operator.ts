import { join } from 'node:path'
import { generateNatsOperator, type NatsOperator } from '@hearth/messaging'
import { readIfPresent, writeWhole } from '../process/file.ts'

export const controlPlaneCredentialsFile = (folder: string) => join(folder, 'control-plane.creds')
export const accountSeedFile = (folder: string) => join(folder, 'account.seed')

/** The folder's own keys: made once, so that credentials given out stay good over restarts. */
export async function ensureOperator(folder: string): Promise<NatsOperator> {
  const file = join(folder, 'operator.json')
  const known = await readIfPresent(file)
  const operator = known === undefined ? await generateNatsOperator() : (JSON.parse(known) as NatsOperator)
  if (known === undefined) await writeWhole(file, JSON.stringify(operator), 0o600)
  await writeWhole(controlPlaneCredentialsFile(folder), operator.controlPlaneCredentials, 0o600)
  await writeWhole(accountSeedFile(folder), `${operator.runnerAccountSeed}\n`, 0o600)
  return operator
}
