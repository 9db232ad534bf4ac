import { type DeploymentPhase, deploymentSchema } from '@hearth/contract'
import { collection, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/deployments'

export interface DeploymentFilter {
  name?: string | undefined
  spaceId?: string | undefined
  webAppId?: string | undefined
  phase?: DeploymentPhase | undefined
}

export const deployments = (transport: Transport) => ({
  ...collection<typeof deploymentSchema, DeploymentFilter>(transport, path, deploymentSchema),
  /** Gives it up; the release before goes on. */
  cancel: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/cancel`, ...options }, deploymentSchema),
  why: explaining(transport, path),
})
