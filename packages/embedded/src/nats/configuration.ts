import { join } from 'node:path'
import type { NatsOperator } from '@hearth/messaging'

export const configurationFile = (folder: string) => join(folder, 'nats-server.conf')
export const storeFolder = (folder: string) => join(folder, 'jetstream')
/** Where the server keeps the accounts' claims, with what was revoked since they were made. */
export const accountsFolder = (folder: string) => join(folder, 'accounts')
export const runFolder = (folder: string) => join(folder, 'run')
export const pidFile = (folder: string) => join(runFolder(folder), 'pid')

/** One server of several that hold the streams together. */
export interface NatsCluster {
  /** This server's own name in it. */
  serverName: string
  /** Loopback port on which the others reach it. */
  port: number
  /** The ports of all its servers. */
  ports: readonly number[]
}

/** The whole configuration: reachable from this machine only, no monitoring port. */
export function natsConfiguration(options: {
  folder: string
  port: number
  operator: NatsOperator | undefined
  cluster: NatsCluster | undefined
}): string {
  const lines = [
    `listen: "127.0.0.1:${options.port}"`,
    `server_name: ${options.cluster?.serverName ?? 'hearth'}`,
    `pid_file: ${JSON.stringify(pidFile(options.folder))}`,
    // The full desired set of a busy host is one message.
    'max_payload: 8MB',
    `jetstream { store_dir: ${JSON.stringify(storeFolder(options.folder))} }`,
  ]
  return `${[...lines, ...clustered(options.cluster), ...authorization(options.folder, options.operator)].join('\n')}\n`
}

function clustered(cluster: NatsCluster | undefined): string[] {
  if (cluster === undefined) return []
  const routes = cluster.ports.map((port) => `"nats://127.0.0.1:${port}"`)
  return [
    'cluster {',
    '  name: hearth',
    `  listen: "127.0.0.1:${cluster.port}"`,
    `  routes: [${routes.join(', ')}]`,
    '}',
  ]
}

function authorization(folder: string, operator: NatsOperator | undefined): string[] {
  if (operator === undefined) return []
  return [
    `operator: ${operator.operatorJwt}`,
    `system_account: ${operator.systemAccountPublicKey}`,
    `resolver { type: full, dir: ${JSON.stringify(accountsFolder(folder))}, allow_delete: false }`,
    // A claim in the store that was signed later takes precedence over these.
    'resolver_preload: {',
    `  ${operator.systemAccountPublicKey}: ${operator.systemAccountJwt}`,
    `  ${operator.accountPublicKey}: ${operator.accountJwt}`,
    `  ${operator.runnerAccountPublicKey}: ${operator.runnerAccountJwt}`,
    `  ${operator.observerAccountPublicKey}: ${operator.observerAccountJwt}`,
    '}',
  ]
}
