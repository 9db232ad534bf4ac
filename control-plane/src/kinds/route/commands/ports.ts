import { type RouteAccess, routeLimits } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import type { Queryable } from '../../../database/connection.ts'
import { routeQueries } from '../queries.ts'
import type { RouteRow } from '../table.ts'
import { changeRoute, deleteRoute } from './change.ts'
import { createRoute } from './create.ts'

export interface WantedPort {
  port: number
  access: RouteAccess
  labels: Record<string, string>
}

interface WantedPorts {
  environmentId: string
  /** Routes with this label are these ports', and no others are touched. */
  label: string
  ports: readonly WantedPort[]
}

/** Makes, changes and takes away routes until a machine has one for each of these ports. */
export const setPorts: Command<WantedPorts, void> = {
  async run(tx, context, { environmentId, label, ports }) {
    const { caller } = context
    const open = (await readRoutesOf(tx, caller, environmentId)).filter(({ labels }) => label in labels)
    for (const { id, spec } of open)
      if (!ports.some(({ port }) => port === spec.port))
        await deleteRoute.run(tx, context, { reference: id, body: { force: false } }, undefined)
    for (const { port, access, labels } of ports) {
      const before = open.find(({ spec }) => spec.port === port)
      const spec = { port, access }
      if (before === undefined) {
        const name = `p${port}-${environmentId.slice(-12)}`
        await createRoute.run(
          tx,
          context,
          { name, labels, spec: { ...spec, environment: environmentId } },
          undefined,
        )
      } else if (
        canonicalJson({ spec: portOf(before.spec), labels: before.labels }) !==
        canonicalJson({ spec, labels })
      )
        await changeRoute.run(tx, context, { reference: before.id, body: { labels, spec } }, undefined)
    }
  },
}

const portOf = ({ port, access }: RouteRow['spec']) => ({ port, access })

/** Those that are not being deleted. */
export async function readRoutesOf(
  queryable: Queryable,
  { organizationId }: { organizationId: string },
  environmentId: string,
): Promise<RouteRow[]> {
  const rows = await routeQueries.list(
    queryable,
    { organizationId, limit: 2 * routeLimits.ofEnvironment },
    { environment_id: environmentId },
  )
  return rows.filter(({ desired }) => desired === 'open')
}
