import { createHash } from 'node:crypto'
import type { Command, EnvironmentClassSpec, ProjectSpec, ProvisioningPlan } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'

/** What an environment's owner adds to, and changes in, the set-up its project gives. */
export interface OwnerSetup {
  setup: readonly Command[]
  /** Cloned of every repository, instead of what the project names; null for those. */
  branch: string | null
}

/** The plan of one environment, from its project, its class and, where it has an owner, the owner's part. */
export function buildPlan(
  project: ProjectSpec,
  environmentClass: EnvironmentClassSpec,
  owner: OwnerSetup | null,
): ProvisioningPlan {
  return {
    image: environmentClass.image,
    virtualCpus: environmentClass.virtualCpus,
    memoryMebibytes: environmentClass.memoryMebibytes,
    diskGibibytes: environmentClass.diskGibibytes,
    ...(environmentClass.limits === undefined ? {} : { limits: environmentClass.limits }),
    repositories: project.repositories.map((repository) => ({
      ...repository,
      branch: owner?.branch ?? repository.branch,
    })),
    variables: project.variables,
    secretNames: project.secretNames,
    projectSetup: project.setup,
    warmPoolSetup: [...(owner?.setup ?? [])],
    ...(hasProcesses(project) ? { processes: { tasks: project.tasks, services: project.services } } : {}),
  }
}

/** Whether a project declares tasks or services; one that was stored by an older version says nothing of them. */
function hasProcesses({ tasks, services }: Partial<Pick<ProjectSpec, 'tasks' | 'services'>>): boolean {
  return Object.keys(tasks ?? {}).length + Object.keys(services ?? {}).length > 0
}

/** The same for environments made from the same configuration. */
export function configurationOf(plan: ProvisioningPlan): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex').slice(0, 16)
}
