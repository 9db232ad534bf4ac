import type { EnvironmentClassSpec, InstanceState, ProjectSpec } from '@hearth/contract'
import { buildPlan, configurationOf } from '../environment/index.ts'
import { type PoolFacts, poolSpec, type WarmPoolRow } from './table.ts'

/** What a pool's machines are made from beside its own row, and the machines there are. */
export interface Surroundings {
  project_name: string
  project_phase: string
  project_spec: ProjectSpec
  class_spec: EnvironmentClassSpec
  /** Its members, those that are claimed too, counted by what they are to it and what they were made from. */
  groups: { state: InstanceState; configuration: string; count: number }[]
}

/** Fingerprint of what the pool would make now. */
export function configurationFor(
  row: WarmPoolRow,
  { project_spec, class_spec }: Pick<Surroundings, 'project_spec' | 'class_spec'>,
): string {
  return configurationOf(buildPlan(project_spec, class_spec, poolSpec(row)))
}

/** What a pool's resource shows beyond its row. */
export function factsOf(row: WarmPoolRow, surroundings: Surroundings): PoolFacts & { configuration: string } {
  const configuration = configurationFor(row, surroundings)
  const count = (state: InstanceState, made?: string) =>
    surroundings.groups
      .filter((group) => group.state === state && (made === undefined || group.configuration === made))
      .reduce((sum, group) => sum + group.count, 0)
  return {
    configuration,
    projectDeleting: surroundings.project_phase === 'deleting',
    ready: count('ready'),
    readyAndCurrent: count('ready', configuration),
    provisioning: count('provisioning'),
    failed: count('failed'),
    claimed: count('claimed'),
    suspended: count('suspended'),
    stopped: count('stopped'),
    restingAndCurrent: count('suspended', configuration) + count('stopped', configuration),
  }
}
