// Written by `pnpm kinds`: not to be changed by hand.

import type { Migration } from 'kysely'
import { access } from './0001-access.ts'
import { environments } from './0002-environments.ts'
import { delivery } from './0003-delivery.ts'
import { events } from './0004-events.ts'
import { scale } from './0005-scale.ts'
import { causes } from './0006-causes.ts'
import { poolTests } from './0007-pool-tests.ts'
import { ordersFirst } from './0008-orders-first.ts'
import { fewerIndexEntries } from './0009-fewer-index-entries.ts'
import { eventCheckpoints } from './0010-event-checkpoints.ts'
import { inspections } from './0012-inspections.ts'
import { pausedMachines } from './0014-paused-machines.ts'
import { quotas } from './0015-quotas.ts'
import { revocableCredentials } from './0017-revocable-credentials.ts'
import { kindsOfWork } from './0018-kinds-of-work.ts'
import { owners } from './0019-owners.ts'
import { claimsByName } from './0020-claims-by-name.ts'
import { snapshot } from './0021-snapshot.ts'
import { prebuilds } from './0022-prebuilds.ts'
import { flattening } from './0023-flattening.ts'
import { poolDemand } from './0024-pool-demand.ts'
import { unexplainedBoots } from './0025-unexplained-boots.ts'
import { lives } from './0026-lives.ts'
import { lateBinding } from './0027-late-binding.ts'
import { processes } from './0028-processes.ts'
import { sessions } from './0029-sessions.ts'
import { tlsAuthority } from './0030-tls-authority.ts'
import { executions } from './0031-executions.ts'
import { route } from './0032-route.ts'
import { userSecret } from './0033-user-secret.ts'
import { tokenClients } from './0036-token-clients.ts'
import { volume } from './0037-volume.ts'
import { webApp } from './0038-web-app.ts'
import { artifact } from './0039-artifact.ts'
import { pipeline } from './0040-pipeline.ts'
import { processJournal } from './0041-process-journal.ts'
import { routeDomain } from './0042-route-domain.ts'
import { pipelineLife } from './0043-pipeline-life.ts'
import { keptProjects } from './0047-kept-projects.ts'
import { machineNeeds } from './0048-machine-needs.ts'

/** In the order of their names. A migration that has been released never changes. */
export const migrations: Record<string, Migration> = {
  '0001-access': access,
  '0002-environments': environments,
  '0003-delivery': delivery,
  '0004-events': events,
  '0005-scale': scale,
  '0006-causes': causes,
  '0007-pool-tests': poolTests,
  '0008-orders-first': ordersFirst,
  '0009-fewer-index-entries': fewerIndexEntries,
  '0010-event-checkpoints': eventCheckpoints,
  '0012-inspections': inspections,
  '0014-paused-machines': pausedMachines,
  '0015-quotas': quotas,
  '0017-revocable-credentials': revocableCredentials,
  '0018-kinds-of-work': kindsOfWork,
  '0019-owners': owners,
  '0020-claims-by-name': claimsByName,
  '0021-snapshot': snapshot,
  '0022-prebuilds': prebuilds,
  '0023-flattening': flattening,
  '0024-pool-demand': poolDemand,
  '0025-unexplained-boots': unexplainedBoots,
  '0026-lives': lives,
  '0027-late-binding': lateBinding,
  '0028-processes': processes,
  '0029-sessions': sessions,
  '0030-tls-authority': tlsAuthority,
  '0031-executions': executions,
  '0032-route': route,
  '0033-user-secret': userSecret,
  '0036-token-clients': tokenClients,
  '0037-volume': volume,
  '0038-web-app': webApp,
  '0039-artifact': artifact,
  '0040-pipeline': pipeline,
  '0041-process-journal': processJournal,
  '0042-route-domain': routeDomain,
  '0043-pipeline-life': pipelineLife,
  '0047-kept-projects': keptProjects,
  '0048-machine-needs': machineNeeds,
}
