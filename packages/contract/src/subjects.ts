/** Every NATS subject and stream name; spelled nowhere else. `kind` is a ResourceKind in lower case with hyphens. */
export const streams = {
  work: 'HEARTH_WORK',
  report: 'HEARTH_REPORT',
  log: 'HEARTH_LOG',
  event: 'HEARTH_EVENT',
} as const

export const subjects = {
  work: (runnerId: string, kind: string, id: string) => `hearth.work.${runnerId}.${kind}.${id}`,
  workOfRunner: (runnerId: string) => `hearth.work.${runnerId}.>`,
  allWork: 'hearth.work.>',
  report: (runnerId: string, kind: string, id: string) => `hearth.report.${runnerId}.${kind}.${id}`,
  reportsOfRunner: (runnerId: string) => `hearth.report.${runnerId}.>`,
  allReports: 'hearth.report.>',
  /** Contains the runner's id, so that NATS can restrict each runner to its own subjects. */
  log: (runnerId: string, environmentId: string, step: string) =>
    `hearth.log.${runnerId}.${environmentId}.${stepTokens(step)}`,
  logsOfRunner: (runnerId: string) => `hearth.log.${runnerId}.>`,
  logsOfEnvironment: (runnerId: string, environmentId: string) => `hearth.log.${runnerId}.${environmentId}.>`,
  /** Of all runs of a task or service; see `processLogKey`. */
  logsOfProcess: (runnerId: string, environmentId: string, processId: string) =>
    `hearth.log.${runnerId}.${environmentId}.process-${processId}.*`,
  allLogs: 'hearth.log.>',
  event: (organizationId: string, kind: string, id: string) => `hearth.event.${organizationId}.${kind}.${id}`,
  eventsOfOrganization: (organizationId: string) => `hearth.event.${organizationId}.>`,
  allEvents: 'hearth.event.>',
  presence: (runnerId: string) => `hearth.presence.${runnerId}`,
  allPresence: 'hearth.presence.*',
  sync: (runnerId: string) => `hearth.sync.${runnerId}`,
  allSyncs: 'hearth.sync.*',
  /** What an agent is asked to do at once in its machines; its answers go to the reply subject of each request. */
  call: (runnerId: string) => `hearth.call.${runnerId}`,
  allCalls: 'hearth.call.*',
  /** `owner`: a runner's id, or an observer's consumer. */
  inbox: (owner: string) => `_INBOX_${owner}`,
} as const

/** The durable consumer through which one runner pulls its work. */
export const workConsumer = (runnerId: string) => `runner-${runnerId}`
/** The durable consumer through which one observer reads its organization's events. */
export const observerConsumer = (observerId: string) => `observer-${observerId}`
/** The JetStream domain that observers' clients name: their account has none of its own. */
export const observerDomain = 'hearth'
/** The durable consumer that all control-plane replicas share. */
export const reportConsumer = 'control-plane'

/** `EnvironmentClass` -> `environment-class`. */
export function subjectKind(kind: string): string {
  return kind.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()
}

/** A step's key in two tokens at most: the dots of a repository's name, and what NATS takes for a pattern, are none of them. */
function stepTokens(step: string): string {
  const [name = '', ...rest] = step.split('.')
  const tokens = rest.length === 0 ? [name] : [name, rest.join('~')]
  return tokens.map((token) => token.replace(/[*>\s]/g, '~') || '~').join('.')
}
