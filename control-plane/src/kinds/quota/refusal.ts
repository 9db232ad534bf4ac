import type { OrganizationQuotaName } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Holder } from './queries.ts'

/** What there is of it, as people say it. */
const words: Readonly<Record<OrganizationQuotaName, string>> = {
  environments: 'environments',
  running: 'running environments',
  virtualCpus: 'virtual CPUs in environments',
  memoryMebibytes: 'MiB of memory in environments',
  diskGibibytes: 'GiB of disk in environments',
  projects: 'projects',
  environmentClasses: 'environment classes',
  warmPools: 'warm pools',
  runners: 'runners',
  tokens: 'tokens',
  observers: 'observers',
  sessions: 'open sessions',
  routes: 'routes',
  pipelines: 'pipelines',
  volumes: 'volumes',
  streams: 'open streams',
  requestsPerSecond: 'requests a second',
}

interface Used {
  quota: OrganizationQuotaName
  limit: number
  use: number
}

/** A quota that leaves too little room, in one clause. */
export function describeUsed({ quota, limit, use }: Used): string {
  return `${use} ${words[quota]} of ${limit} at most (quota ${quota})`
}

export function refusal(used: Used, holder: Holder): HearthError {
  const whose = 'principalId' in holder ? 'principal' : 'organization'
  const who = whose === 'principal' ? 'you hold' : 'your organization has'
  return new HearthError(
    'quota_exceeded',
    `${who} ${describeUsed(used)}, which leaves no room for this: ${wayOn(used.quota)}`,
    { facts: { ...used, whose } },
  )
}

function wayOn(quota: OrganizationQuotaName): string {
  const less = quota === 'running' ? 'stop or delete one' : 'delete what is not needed'
  return `${less}, or have an administrator of the first organization raise the quota; \`hearth quota\` shows all of them`
}
