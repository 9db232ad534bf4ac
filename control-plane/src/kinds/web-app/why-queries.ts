import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { environments } from '../environment/index.ts'
import { toWebApp, type WebAppRow } from './table.ts'
import { explain } from './why.ts'

/** Reads what a web app depends on, and explains its phase. */
export async function explainWebApp(queryable: Queryable, row: WebAppRow): Promise<Explanation> {
  const machine = await environments.readById(queryable, row.environment_id)
  const reasons = explain({
    webApp: toWebApp(row),
    environment: { name: machine?.name ?? row.environment_id, phase: machine?.phase ?? 'gone' },
  })
  return { kind: 'WebApp', id: row.id, name: row.name, phase: row.phase, ...reasons }
}
