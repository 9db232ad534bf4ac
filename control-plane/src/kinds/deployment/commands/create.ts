import { type AppConfiguration, type DeploymentOrigin, deploymentSeconds } from '@hearth/contract'
import { invalidValue, newId } from '@hearth/foundation'
import type { Command, CommandContext } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { findArtifact, holdArtifact } from '../../artifact/index.ts'
import { beginJob } from '../../job/index.ts'
import {
  changeSpaceStatus,
  lockSpaceForChange,
  readAppFacts,
  type SpaceRow,
  spaces,
} from '../../space/index.ts'
import { deployments } from '../queries.ts'
import { type DeploymentRow, emptyDeploymentStatus, toDeployment } from '../table.ts'

export interface Uploaded {
  /** Id or name of the space. */
  space: string
  artifactId: string
  displayName: string
}

/** Deploys what was uploaded. One that waits for its turn in the same space is cancelled by it. */
export const createDeployment: Command<Uploaded, DeploymentRow> = {
  async run(tx, context, { space, artifactId, displayName }) {
    const { row } = await lockSpaceForChange(tx, { ...context, expectedVersion: null }, space)
    return beginDeployment(tx, context, row, {
      artifactId,
      displayName,
      origin: 'upload',
      of: null,
      releaseId: null,
    })
  },
}

export interface Wanted {
  artifactId: string
  displayName: string
  origin: DeploymentOrigin
  /** The deployment that is promoted or gone back to. */
  of: DeploymentRow | null
  /** Of a release that there was; null for a new one. */
  releaseId: string | null
}

/** Writes a deployment to a space, which must have been locked after its environment. */
export async function beginDeployment(
  tx: DatabaseTransaction,
  { caller, services }: CommandContext,
  space: SpaceRow,
  { artifactId, displayName, origin, of, releaseId }: Wanted,
): Promise<DeploymentRow> {
  const now = services.clock.now()
  const { organizationId, principalId: creator } = caller
  const artifact = found(await findArtifact(tx, organizationId, artifactId), 'artifact', artifactId)
  if (artifact.configuration === null) throw new Error(`artifact ${artifactId} has no configuration`)
  await refuseUnfit(tx, space, artifact.configuration)
  const id = newId()
  await holdArtifact(tx, id, artifactId)
  const row = await deployments.insert(
    tx,
    {
      ...{ id, organizationId, creator, name: `${space.name}-${id.slice(-8)}`, labels: {} },
      spec: {
        desired: 'run',
        origin,
        ofDeploymentId: of?.id ?? null,
        displayName,
        variables: space.spec.variables,
      },
    },
    {
      space_id: space.id,
      web_app_id: space.web_app_id,
      environment_id: space.environment_id,
      artifact_id: artifactId,
      release_id: releaseId ?? id,
      phase: 'pending',
      phase_since: now,
      deadline: new Date(now.getTime() + deploymentSeconds.pending * 1000),
      status: emptyDeploymentStatus,
    },
  )
  await recordEvent(tx, 'created', toDeployment(row))
  const subject = { organizationId, operation: 'deployment.run', kind: 'Deployment', id } as const
  await beginJob(tx, subject, { time: now.toISOString(), level: 'info', message: beginning(origin, of) })
  await noteInSpace(tx, space, row, now)
  await wake(tx, 'web-app', space.environment_id)
  return row
}

function beginning(origin: DeploymentOrigin, of: DeploymentRow | null): string {
  if (origin === 'promote') return `what deployment ${of?.name} brought to uat is deployed`
  if (origin === 'rollback') return `going back to the release of deployment ${of?.name}`
  return 'what was uploaded is deployed'
}

/** A space that is stopped is started by what is deployed to it. */
async function noteInSpace(
  tx: DatabaseTransaction,
  space: SpaceRow,
  { id, phase, created_at }: DeploymentRow,
  now: Date,
): Promise<void> {
  const started =
    space.desired === 'running' ? space : await spaces.changeSpec(tx, space.id, { desired: 'running' })
  const lastDeployment = { id, phase, createdAt: created_at.toISOString() }
  await changeSpaceStatus(tx, started, { status: { lastDeployment }, now })
}

async function refuseUnfit(
  tx: DatabaseTransaction,
  space: SpaceRow,
  configuration: AppConfiguration,
): Promise<void> {
  const { name, parts } = await readAppFacts(tx, space.web_app_id)
  const { runtime } = configuration
  if (runtime !== null && runtime !== parts.runtime)
    throw invalidValue({
      field: 'bentocloud.toml.app.runtime',
      given: runtime,
      expected: `${parts.runtime}, which is the runtime of web app ${name}`,
    })
}
