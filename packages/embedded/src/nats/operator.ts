import { join } from 'node:path'
import { completeNatsOperator, generateNatsOperator, type NatsOperator } from '@hearth/messaging'
import { readIfPresent, writeWhole } from '../process/file.ts'

export const controlPlaneCredentialsFile = (folder: string) => join(folder, 'control-plane.creds')
export const accountSeedFile = (folder: string) => join(folder, 'account.seed')
export const observerSeedFile = (folder: string) => join(folder, 'observer.seed')
export const signingSeedFile = (folder: string) => join(folder, 'operator-signing.seed')
export const systemCredentialsFile = (folder: string) => join(folder, 'system.creds')

/** The folder's own keys: made once, so that credentials given out stay good over restarts. */
export async function ensureOperator(folder: string): Promise<NatsOperator> {
  const file = join(folder, 'operator.json')
  const known = await readIfPresent(file)
  const operator =
    known === undefined
      ? await generateNatsOperator()
      : await completeNatsOperator(JSON.parse(known) as NatsOperator)
  const text = JSON.stringify(operator)
  if (known !== text) await writeWhole(file, text, 0o600)
  await writeWhole(controlPlaneCredentialsFile(folder), operator.controlPlaneCredentials, 0o600)
  await writeWhole(accountSeedFile(folder), `${operator.runnerAccountSeed}\n`, 0o600)
  await writeWhole(observerSeedFile(folder), `${operator.observerAccountSeed}\n`, 0o600)
  await writeWhole(signingSeedFile(folder), `${operator.signingSeed}\n`, 0o600)
  await writeWhole(systemCredentialsFile(folder), operator.systemCredentials ?? '', 0o600)
  return operator
}
