import { HearthError } from '@hearth/foundation'
import type { UpdateEnvironmentRequest } from '../generated/gitpod/v1/environment_pb.ts'
import { environmentLabels } from './environment-labels.ts'
import { lifeOf } from './machine-request.ts'

/** What of a machine there is no way to change, and what to do instead. */
const refusals = {
  content: 'what it checked out is its own: make another environment',
  devcontainer: 'a machine has no containers of its own to be built anew',
  automationsFile: 'use UpsertAutomationsFile',
} as const

/** A change as Hearth knows it. Throws for what would change nothing there. */
export function changeOf({ metadata, spec }: Pick<UpdateEnvironmentRequest, 'metadata' | 'spec'>) {
  const refuse = (field: string, because: string) => {
    throw new HearthError('unprocessable', `${field}: must not be given: ${because}`)
  }
  if (metadata?.lockdownAt !== undefined) refuse('metadata.lockdownAt', 'no environment is locked down')
  for (const [field, because] of Object.entries(refusals) as [keyof typeof refusals, string][])
    if (spec?.[field] !== undefined) refuse(`spec.${field}`, because)
  if (spec !== undefined && spec.sshPublicKeys.length > 0)
    refuse('spec.sshPublicKeys', 'a machine takes certificates, which `hearth ssh` asks for each time')
  const life = lifeOf(spec?.timeout?.disconnected)
  return {
    labels: { [environmentLabels.name]: metadata?.name },
    ...(life === undefined ? {} : { spec: { life } }),
  }
}
