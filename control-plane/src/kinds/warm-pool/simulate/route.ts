import { poolSimulationCreateSchema, poolSimulationSchema, warmPoolKind } from '@hearth/contract'
import { readers } from '../../../api/caller.ts'
import { addEndpoint } from '../../../api/endpoint.ts'
import { idOrSharedNameParams } from '../../../api/lookup.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { warmPools } from '../queries.ts'
import { runSimulation } from './run.ts'
import { SimulationTurns } from './turns.ts'

export const simulationRoute: AddRoute = (application, services) => {
  const turns = new SimulationTurns()
  addEndpoint(application, services, {
    method: 'post',
    path: `${warmPoolKind.path}/{id}/simulations`,
    tag: warmPoolKind.tag,
    summary: 'Say what a setting of the pool would have cost and missed; changes nothing',
    roles: readers,
    params: idOrSharedNameParams,
    body: poolSimulationCreateSchema,
    answer: { status: 200, schema: poolSimulationSchema, description: 'What would have been' },
    handle: async ({ caller, params, body, context }) => {
      const { database, clock } = services
      const { signal } = context.req.raw
      const pool = await warmPools.get(database, caller, params.id)
      const value = await turns.take(() => runSimulation(database, pool, body, { clock, signal }))
      return { status: 200, value }
    },
  })
}
