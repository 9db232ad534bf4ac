import type { ServiceImpl } from '@connectrpc/connect'
import type { IdentityService } from '../generated/gitpod/v1/identity_pb.ts'
import { subjectOf } from '../translate/values.ts'
import { callOf } from '../wire/call.ts'

export const identityService: ServiceImpl<typeof IdentityService> = {
  async getAuthenticatedIdentity(_, context) {
    const { principalId, organizationId } = callOf(context).caller
    return { subject: subjectOf(principalId) ?? {}, organizationId, organizationTier: 'enterprise' }
  },
}
