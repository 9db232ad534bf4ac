import type { MessageInitShape } from '@bufbuild/protobuf'
import type { UserSecretRow } from '../../../kinds/user-secret/index.ts'
import {
  type HostAuthenticationTokenSchema,
  HostAuthenticationTokenSource as Source,
} from '../generated/gitpod/v1/runner_configuration_pb.ts'
import { subjectOf, timestampOf } from './values.ts'

/** The label that keeps for which runner a token was made; it is good on every one. */
export const tokenRunner = 'ona/runner-id'

export function toOnaHostToken({
  id,
  spec,
  creator,
  labels,
}: UserSecretRow): MessageInitShape<typeof HostAuthenticationTokenSchema> {
  return {
    id,
    runnerId: labels[tokenRunner] ?? '',
    userId: creator ?? '',
    host: spec.gitHost ?? '',
    source: Source.PAT,
    expiresAt: timestampOf(spec.expiresAt),
    subject: subjectOf(creator) ?? {},
  }
}
