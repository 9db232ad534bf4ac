import { createHash } from 'node:crypto'
import type { ProjectSpec, ProvisioningPlan } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'

/**
 * The same for plans of which one may start from what was built for the other: alike repositories, set-up, image and
 * size. Branches are brought up to date at the start, variables and secrets are told to each machine.
 */
export function prebuiltConfigurationOf(plan: ProvisioningPlan): string {
  const { image, virtualCpus, memoryMebibytes, diskGibibytes, repositories, projectSetup } = plan
  const built = repositories.map(({ url, name, setup }) => ({ url, name, setup }))
  return createHash('sha256')
    .update(canonicalJson({ image, virtualCpus, memoryMebibytes, diskGibibytes, built, projectSetup }))
    .digest('hex')
    .slice(0, 16)
}

/** What a project says of the machine that a prebuild is built on: it is told those secrets that open a repository. */
export function projectToBuild(spec: ProjectSpec): ProjectSpec {
  const opening = spec.repositories.flatMap(({ token, deployKey }) => [token, deployKey])
  return { ...spec, secretNames: spec.secretNames.filter((name) => opening.includes(name)) }
}
