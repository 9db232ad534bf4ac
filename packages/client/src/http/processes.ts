import { listSchema, processRunSchema } from '@hearth/contract'
import type { z } from 'zod'
import { type LogOptions, readLogs } from '../streams/logs.ts'
import { one } from './collection.ts'
import type { CallOptions, Transport } from './transport.ts'

export interface ProcessFilter {
  environmentId?: string | undefined
  claimId?: string | undefined
  phase?: string | undefined
}

export interface ProcessLogOptions extends Omit<LogOptions, 'step'> {
  /** The number of a run; by default all. */
  run?: number | undefined
  /** ISO 8601: only what came from then on. */
  since?: string | undefined
}

/** The calls that tasks and services have alike. */
export function processCalls<Item extends z.ZodType>(transport: Transport, path: string, schema: Item) {
  const action =
    (name: 'start' | 'stop' | 'restart') =>
    (id: string, options: CallOptions = {}) =>
      transport.json({ method: 'POST', path: `${one(path, id)}/${name}`, ...options }, schema)
  const runs = listSchema(processRunSchema)
  return {
    /** Starts it and what it depends on; one that runs is left as it is. */
    start: action('start'),
    stop: action('stop'),
    /** Starts it anew; the run that it has is ended first. */
    restart: action('restart'),
    /** The newest runs, the newest first. */
    runs: async (id: string, options: CallOptions = {}) =>
      (await transport.json({ method: 'GET', path: `${one(path, id)}/runs`, ...options }, runs)).items,
    /** What its runs print; with `follow` until it is at rest. */
    logs: (id: string, { run, since, ...options }: ProcessLogOptions) =>
      readLogs(transport, `${one(path, id)}/logs`, { ...options, query: { run, since } }),
  }
}
