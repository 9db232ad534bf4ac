// Written by `pnpm kinds`: not to be changed by hand.

import type { ArtifactTables } from '../kinds/artifact/table.ts'
import type { ClaimTables } from '../kinds/claim/table.ts'
import type { DeploymentTables } from '../kinds/deployment/table.ts'
import type { EnvironmentTables } from '../kinds/environment/table.ts'
import type { EnvironmentClassTables } from '../kinds/environment-class/table.ts'
import type { EventTables } from '../kinds/event/table.ts'
import type { JobTables } from '../kinds/job/table.ts'
import type { ObserverTables } from '../kinds/observer/table.ts'
import type { OrganizationTables } from '../kinds/organization/table.ts'
import type { PipelineTables } from '../kinds/pipeline/table.ts'
import type { PrebuildTables } from '../kinds/prebuild/table.ts'
import type { ProcessTables } from '../kinds/process/table.ts'
import type { ProjectTables } from '../kinds/project/table.ts'
import type { RouteTables } from '../kinds/route/table.ts'
import type { RunnerTables } from '../kinds/runner/table.ts'
import type { SessionTables } from '../kinds/session/table.ts'
import type { SnapshotTables } from '../kinds/snapshot/table.ts'
import type { SpaceTables } from '../kinds/space/table.ts'
import type { TokenTables } from '../kinds/token/table.ts'
import type { UserSecretTables } from '../kinds/user-secret/table.ts'
import type { VolumeTables } from '../kinds/volume/table.ts'
import type { WarmPoolTables } from '../kinds/warm-pool/table.ts'
import type { WebAppTables } from '../kinds/web-app/table.ts'
import type { IdempotencyKeyTables } from './idempotency-key-table.ts'
import type { OutboxTables } from './outbox-table.ts'
import type { TlsAuthorityTables } from './tls-authority-table.ts'

/** Every table, by its name in PostgreSQL. */
export interface Schema
  extends ArtifactTables,
    ClaimTables,
    DeploymentTables,
    EnvironmentTables,
    EnvironmentClassTables,
    EventTables,
    JobTables,
    ObserverTables,
    OrganizationTables,
    PipelineTables,
    PrebuildTables,
    ProcessTables,
    ProjectTables,
    RouteTables,
    RunnerTables,
    SessionTables,
    SnapshotTables,
    SpaceTables,
    TokenTables,
    UserSecretTables,
    VolumeTables,
    WarmPoolTables,
    WebAppTables,
    IdempotencyKeyTables,
    OutboxTables,
    TlsAuthorityTables {}
