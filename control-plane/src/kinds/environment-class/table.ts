import type { EnvironmentClass, EnvironmentClassSpec } from '@hearth/contract'
import type { Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export type EnvironmentClassTable = ResourceTable<EnvironmentClassSpec, Record<string, never>>
export interface EnvironmentClassTables {
  environment_classes: EnvironmentClassTable
}
export type EnvironmentClassRow = Selectable<EnvironmentClassTable>

export function toEnvironmentClass(row: EnvironmentClassRow): EnvironmentClass {
  return {
    kind: 'EnvironmentClass',
    metadata: metadataOf(row),
    spec: row.spec,
    specVersion: row.spec_version,
    status: { phase: 'active', observedSpecVersion: row.spec_version, failure: null, deadline: null },
    statusVersion: row.status_version,
  }
}
