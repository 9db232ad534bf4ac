export type { NatsCluster } from './nats/configuration.ts'
export { type EmbeddedNats, type NatsServerOptions, startNatsServer } from './nats/start.ts'
export type { EmbeddedOptions } from './options.ts'
export { type EmbeddedPostgres, type PostgresOptions, startPostgres } from './postgres/start.ts'
