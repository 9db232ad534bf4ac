import { type LifeSpec, publicKeySchema } from '@hearth/contract'
import { invalidValue } from '@hearth/foundation'
import type { EnvironmentSpec } from '../generated/gitpod/v1/environment_spec_pb.ts'
import { labelsOf } from './environment-labels.ts'

interface Given {
  spec?: EnvironmentSpec | undefined
  name?: string | undefined
  sessionId: string
  annotations: Readonly<Record<string, string>>
}

/** What a new machine is asked to be, whatever it is of. */
export function wantedMachine({ spec, name, sessionId, annotations }: Given) {
  const life = lifeOf(spec?.timeout?.disconnected)
  return {
    environmentClassId: spec?.machine?.class || null,
    labels: labelsOf({ name, sessionId, annotations, contextUrl: contextUrlOf(spec) }),
    publicKey: publicKeyOf(spec),
    ...(life === undefined ? {} : { life }),
  }
}

/**
 * The address of a page that the machine was asked for. Throws `invalid` for one with a password or a token, which everybody
 * who sees the machine would read.
 */
export function contextUrlOf(spec: EnvironmentSpec | undefined): string | undefined {
  const [first] = spec?.content?.initializer?.specs ?? []
  const url = first?.spec.case === 'git' ? first.spec.value.remoteUri : first?.spec.value?.url
  if (url === undefined || !/^(?:[a-z]+:\/\/[^/?#]*:[^/?#]*@|(?:https?|git):\/\/[^/?#]*@)/i.test(url))
    return url
  throw invalidValue({
    field: 'spec.content.initializer.specs[0]',
    given: 'one with a user or a password',
    expected:
      'an address without them: keep the password as a secret of the project, or a host authentication token',
  })
}

/** Stopped when nobody uses it for so long; 0 s is never. Undefined where nothing is said. */
export function lifeOf(disconnected: { seconds: bigint } | undefined): LifeSpec | undefined {
  if (disconnected === undefined) return undefined
  const seconds = Number(disconnected.seconds)
  return { idleSeconds: seconds === 0 ? null : seconds, idleThen: 'stop' }
}

/** The first key is the claimant's; others get in with a certificate of their own. */
function publicKeyOf(spec: EnvironmentSpec | undefined): string | null {
  const given = spec?.sshPublicKeys[0]?.value ?? ''
  if (given === '') return null
  const parsed = publicKeySchema.safeParse(given)
  if (parsed.success) return parsed.data
  throw invalidValue({
    field: 'spec.sshPublicKeys[0].value',
    given: 'another text',
    expected: 'an OpenSSH public key, as in the .pub file',
  })
}
