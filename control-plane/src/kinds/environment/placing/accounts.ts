import type { QuotaLimits } from '@hearth/contract'
import type { Accounts, MachineSize } from '../../quota/index.ts'
import type { EnvironmentRow } from '../table.ts'

/** What the environment uses of its quotas. */
export function sizeOf(row: EnvironmentRow): MachineSize {
  const { virtual_cpus: virtualCpus, memory_mebibytes: memoryMebibytes, disk_gibibytes: diskGibibytes } = row
  return { virtualCpus, memoryMebibytes, diskGibibytes }
}

/** Whose quotas the environment counts for. */
export function accountsOf(row: EnvironmentRow, limits: QuotaLimits): Accounts {
  return { organizationId: row.organization_id, principalId: row.holder_id, limits }
}
