import type { EnvironmentOrder } from '@hearth/contract'
import { unseal } from '@hearth/foundation'
import { z } from 'zod'
import { passwordOf } from './clone.ts'

const secretsSchema = z.record(z.string(), z.string())

/** The order's secrets by name. Throws when they were not sealed to this runner for this environment. */
export function openSecrets(
  order: Pick<EnvironmentOrder, 'id' | 'sealedSecrets'>,
  sealingKey: string,
): Record<string, string> {
  if (order.sealedSecrets === null) return {}
  return secretsSchema.parse(JSON.parse(unseal(order.sealedSecrets, sealingKey, order.id)))
}

/** The secret variables of the order's claim by name. Throws as `openSecrets` does, and when they are missing. */
export function bindingSecrets(
  { id, binding }: Pick<EnvironmentOrder, 'id' | 'binding'>,
  sealingKey: string,
): Record<string, string> {
  if (binding == null || binding.secretNames.length === 0) return {}
  if (binding.sealedSecrets === null) throw new Error('the claim’s secrets were not sealed to this runner')
  return secretsSchema.parse(JSON.parse(unseal(binding.sealedSecrets, sealingKey, id)))
}

/** Every value that must be masked in the environment's output. */
export function maskedValues(order: EnvironmentOrder, secrets: Readonly<Record<string, string>>): string[] {
  return [...Object.values(secrets), ...order.plan.repositories.flatMap(({ url }) => passwordOf(url))]
}
