import { createHash } from 'node:crypto'
import type { Command, EnvironmentClassSpec, ProjectSpec, ProvisioningPlan } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'

/** The set-up of one machine, from its project, its class and, in a pool, the pool's own commands. */
export function buildPlan(
  project: ProjectSpec,
  environmentClass: EnvironmentClassSpec,
  warmPoolSetup: readonly Command[],
): ProvisioningPlan {
  return {
    image: environmentClass.image,
    virtualCpus: environmentClass.virtualCpus,
    memoryMebibytes: environmentClass.memoryMebibytes,
    diskGibibytes: environmentClass.diskGibibytes,
    repositories: project.repositories,
    variables: project.variables,
    secretNames: project.secretNames,
    projectSetup: project.setup,
    warmPoolSetup: [...warmPoolSetup],
  }
}

/** The same for machines that were made alike. */
export function configurationOf(plan: ProvisioningPlan): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex').slice(0, 16)
}
