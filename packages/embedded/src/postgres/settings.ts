import { join } from 'node:path'

// The system's limit for the path of a socket, its ending zero included.
const socketPathBytes = 108

export interface PostgresSettings {
  folder: string
  port: number
  /** Without it a crash of the machine may lose everything, one of the server alone nothing: for tests. */
  durable: boolean
}

export const dataFolder = (folder: string) => join(folder, 'data')
export const socketFolder = (folder: string) => join(folder, 'socket')

/** What `postgres` is started with: reachable from this machine only, sized for a small installation. */
export function postgresArguments({ folder, port, durable }: PostgresSettings): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: socketFits(folder, port) ? socketFolder(folder) : '',
    max_connections: '200',
    shared_buffers: '64MB',
    max_wal_size: '512MB',
    password_encryption: 'scram-sha-256',
    log_min_messages: 'warning',
    log_checkpoints: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  }
  return [
    '-D',
    dataFolder(folder),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}

function socketFits(folder: string, port: number): boolean {
  // PostgreSQL takes a comma as the end of one folder's name.
  const path = join(socketFolder(folder), `.s.PGSQL.${port}`)
  return Buffer.byteLength(path) < socketPathBytes && !path.includes(',')
}
