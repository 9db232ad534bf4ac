import type { ClaimTable } from '../kinds/claim/table.ts'
import type { EnvironmentTable } from '../kinds/environment/table.ts'
import type { EnvironmentClassTable } from '../kinds/environment-class/table.ts'
import type { EventCheckpointTable, EventPublicationTable, EventTable } from '../kinds/event/table.ts'
import type { JobTable } from '../kinds/job/table.ts'
import type { ObserverTable } from '../kinds/observer/table.ts'
import type { OrganizationTable } from '../kinds/organization/table.ts'
import type { ProjectSecretTable, ProjectTable } from '../kinds/project/table.ts'
import type { RunnerTable } from '../kinds/runner/table.ts'
import type { PrincipalTable, TokenTable } from '../kinds/token/table.ts'
import type { WarmPoolTable } from '../kinds/warm-pool/table.ts'
import type { IdempotencyKeyTable } from './idempotency-key-table.ts'
import type { OutboxTable } from './outbox-table.ts'

/** Every table, by its name in PostgreSQL. */
export interface Schema {
  organizations: OrganizationTable
  principals: PrincipalTable
  tokens: TokenTable
  runners: RunnerTable
  environment_classes: EnvironmentClassTable
  projects: ProjectTable
  project_secrets: ProjectSecretTable
  environments: EnvironmentTable
  warm_pools: WarmPoolTable
  claims: ClaimTable
  jobs: JobTable
  events: EventTable
  event_publication: EventPublicationTable
  event_checkpoints: EventCheckpointTable
  observers: ObserverTable
  outbox: OutboxTable
  idempotency_keys: IdempotencyKeyTable
}
