import type { Environment } from '@hearth/contract'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { Invocation } from '../invocation.ts'
import type { FoundMachine } from '../kinds/find-machine.ts'
import type { View } from '../kinds/kind.ts'
import { failureText } from '../output/describe.ts'
import { followBoot } from './follow-boot.ts'

/** The environment of a claim, or the environment itself. */
export async function environmentOf(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  { kind, resource }: FoundMachine,
): Promise<Environment | null> {
  if (kind === 'environment') return resource
  const { environmentId } = resource.status
  return environmentId === null ? null : await client.environments.get(environmentId, { signal })
}

/** Follows an environment on its way to a phase. Throws where it ends in another one. */
export async function followPower(
  view: View,
  environment: Environment,
  wanted: 'running' | 'suspended',
  invocation: Invocation,
): Promise<Environment> {
  const { name } = environment.metadata
  const ended = await followBoot(view.client, environment, `environment ${name}`, invocation, wanted)
  if (ended.status.phase === wanted) return ended
  const { phase, failure } = ended.status
  const cause = failure === null ? '' : `\n${failureText(view.terminal, failure)}`
  throw new CommandError(`environment ${name} is ${phase}, not ${wanted}${cause}`, exitCodes.failure)
}
