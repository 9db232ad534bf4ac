import type { Application } from '../../api/application.ts'
import { FelderaError } from './error.ts'

/** Of connectors, profiles, transactions and the engine itself: what Hearth has nothing for. */
const absent = new Set([
  ...[
    'checkpoint/sync',
    'checkpoint/sync_status',
    'checkpoint_status',
    'checkpoints',
    'circuit_json_profile',
    'circuit_profile',
    'clock',
  ],
  ...['commit_transaction', 'completion_status', 'dataflow_graph', 'diff', 'heap_profile'],
  ...['metrics', 'rebalance', 'samply_profile', 'start_compaction'],
  ...['start_transaction', 'support_bundle', 'tables', 'time_series', 'time_series_stream'],
  ...['update_runtime', 'views'],
])

/** Answers what is known not to be there as such. */
export function addAbsentRoutes(application: Application): void {
  application.all('/pipelines/:name/checkpoint/:part', (context, next) =>
    refuse(`checkpoint/${context.req.param('part')}`, next),
  )
  application.all('/pipelines/:name/:part/*', (context, next) => refuse(context.req.param('part'), next))
  application.all('/pipelines/:name/:part', (context, next) => refuse(context.req.param('part'), next))
}

async function refuse(part: string, next: () => Promise<void>): Promise<void> {
  if (absent.has(part))
    throw new FelderaError(501, 'NotImplemented', `Hearth has no /${part} of pipelines`, { part })
  await next()
}
