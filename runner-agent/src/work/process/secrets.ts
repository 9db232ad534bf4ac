import type { ProcessOrder } from '@hearth/contract'
import { unseal } from '@hearth/foundation'
import { z } from 'zod'

const valuesSchema = z.record(z.string(), z.string())

/** All secret values that the guest was told, by name. Throws when they were not sealed to this runner for the process. */
export function openValues(
  { id, sealedSecrets }: Pick<ProcessOrder, 'id' | 'sealedSecrets'>,
  sealingKey: string,
): Record<string, string> {
  return sealedSecrets === null ? {} : valuesSchema.parse(JSON.parse(unseal(sealedSecrets, sealingKey, id)))
}

/** The variables of the process, those that are secret among them. */
export function givenVariables(
  { variables, secretNames }: Pick<ProcessOrder, 'variables' | 'secretNames'>,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  const secret = Object.entries(values).filter(([name]) => secretNames.includes(name))
  return { ...variables, ...Object.fromEntries(secret) }
}
