import {
  type OrderEnvelope,
  orderEnvelopeSchema,
  type ReportEnvelope,
  reportEnvelopeSchema,
  type WorkMessages,
} from '@hearth/contract'
import type { ReportOutcome, WorkKind } from '@hearth/control-plane'
import { newId } from '@hearth/foundation'
import { Pool } from 'pg'

/** The smallest kind of work: an order only says that a marker should be on a host. */
export const markerWork: WorkMessages = {
  kind: 'marker',
  order: orderEnvelopeSchema,
  report: reportEnvelopeSchema,
}

/** The control plane's side of the kind, with a table of its own. */
export interface MarkerKind extends AsyncDisposable {
  kind: WorkKind
  /** Requests a marker on a runner, as a transaction of a replica would. */
  want(runnerId: string): Promise<string>
  phaseOf(id: string): Promise<string | null>
  /** Number of orders for markers that wait to be published. */
  waiting(): Promise<number>
}

interface Row {
  id: string
  runner_id: string
  epoch: number
  report_epoch: number
  report_sequence: string
}

export async function startMarkerKind(databaseUrl: string): Promise<MarkerKind> {
  const pool = new Pool({ connectionString: databaseUrl, max: 4 })
  await pool.query(`CREATE TABLE markers (id uuid PRIMARY KEY, runner_id uuid NOT NULL, phase text,
    report_epoch integer NOT NULL DEFAULT 0, report_sequence bigint NOT NULL DEFAULT 0)`)
  const select =
    'SELECT markers.*, runners.epoch FROM markers JOIN runners ON runners.id = markers.runner_id AND runners.epoch > 0'
  const ofRunner = (runnerId: string) => pool.query<Row>(`${select} WHERE runner_id = $1`, [runnerId])
  const named = (ids: readonly string[]) =>
    pool.query<Row>(`${select} WHERE markers.id = ANY($1::uuid[])`, [ids])
  const apply = async ({ id, phase, runnerId, epoch, sequence }: ReportEnvelope) => {
    const { rowCount } = await pool.query(
      `UPDATE markers SET phase = $2, report_epoch = $4, report_sequence = $5
        WHERE id = $1 AND runner_id = $3 AND (report_epoch, report_sequence) < ($4::integer, $5::bigint)`,
      [id, phase, runnerId, epoch, sequence],
    )
    return rowCount === 1 ? ('applied' as const) : ('stale' as const)
  }
  return {
    kind: {
      messages: markerWork,
      wantedOrders: async (_, runnerId) =>
        new Map(
          (await ofRunner(runnerId)).rows.map((row) => [
            row.id,
            {
              digest: `${row.id} ${row.epoch}`,
              reported: { epoch: row.report_epoch, sequence: Number(row.report_sequence) },
            },
          ]),
        ),
      orderSizes: async (_, ids) => new Map(ids.map((id) => [id, 200])),
      currentOrders: async (_, __, wanted) =>
        ('ids' in wanted ? await named(wanted.ids) : await ofRunner(wanted.runnerId)).rows.map(orderOf),
      async applyReports(_, __, reports) {
        const outcomes: ReportOutcome[] = []
        for (const report of reports) outcomes.push(await apply(report))
        return outcomes
      },
      recordDropped: async () => undefined,
    },
    async want(runnerId) {
      const id = newId()
      await pool.query(
        `WITH marker AS (INSERT INTO markers (id, runner_id) VALUES ($1, $2))
          INSERT INTO outbox (topic, kind, runner_id, environment_id) VALUES ('order', 'marker', $2, $1)`,
        [id, runnerId],
      )
      return id
    },
    async phaseOf(id) {
      const { rows } = await pool.query<{ phase: string | null }>('SELECT phase FROM markers WHERE id = $1', [
        id,
      ])
      return rows[0]?.phase ?? null
    },
    async waiting() {
      const { rows } = await pool.query<{ count: string }>(
        `SELECT count(*) FROM outbox WHERE kind = 'marker'`,
      )
      return Number(rows[0]?.count)
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

function orderOf({ id, runner_id, epoch }: Row): OrderEnvelope {
  return { kind: 'marker', id, runnerId: runner_id, epoch, generation: 1, digest: `${id} ${epoch}` }
}
