import {
  branchSchema,
  commandInputSchema,
  maxAgeMinutesSchema,
  poolSizeSchema,
  type WarmPool,
} from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import {
  changeWarmPool,
  clearWarmPool,
  listInstances,
  presentConfiguration,
  showWarmPool,
  toInstance,
  type WarmPoolRow,
} from '../../kinds/warm-pool/index.ts'
import { capyErrors } from './error.ts'
import { findPool, projectParams } from './pool.ts'
import { instanceRowSchema, toCapyCommands, toRow } from './translate.ts'

const settingsSchema = z
  .object({
    enabled: z.boolean(),
    targetSize: z.int(),
    branch: z.string().nullable(),
    setupCommands: z.array(z.object({ name: z.string(), command: z.string() })),
    maxAgeMinutes: z.int().nullable(),
    status: z.object({ ready: z.int(), provisioning: z.int(), failed: z.int(), claimed: z.int() }),
    instances: z.array(instanceRowSchema),
  })
  .meta({ id: 'CapyWarmPool' })
const changeSchema = z
  .strictObject({
    enabled: z.boolean().optional(),
    targetSize: poolSizeSchema.optional(),
    branch: branchSchema.nullable().optional(),
    setupCommands: z.array(commandInputSchema).max(64).optional(),
    maxAgeMinutes: maxAgeMinutesSchema.nullable().optional(),
  })
  .meta({ id: 'CapyWarmPoolChange' })
const clearSchema = z.strictObject({ replenish: z.boolean().default(true) }).meta({ id: 'CapyClear' })

const tag = 'Warm pool'
const path = '/projects/{projectId}/warm-pool'
/** Most instances shown with a pool; the dialect's list of instances shows all. */
const mostInstances = 100

async function show(queryable: Services['database'], row: WarmPoolRow) {
  const pool = await showWarmPool(queryable, row)
  const configuration = await presentConfiguration(queryable, row)
  const rows = await listInstances(queryable, { poolId: row.id, limit: mostInstances })
  return toSettings(
    pool,
    rows.slice(0, mostInstances).map((each) => toRow(toInstance(each, configuration))),
  )
}

export function addWarmPoolRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path,
      tag,
      summary: 'Show the warm pool of a project, with its counts',
      roles: readers,
      params: projectParams,
      answer: { status: 200, schema: settingsSchema, description: 'The pool' },
      handle: async ({ caller, params }) => {
        const { pool } = await findPool(services, caller, params.projectId)
        return { status: 200, value: pool === undefined ? noPool : await show(database, pool) }
      },
    },
    capyErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'patch',
      path,
      tag,
      summary: 'Change the warm pool; what is left out stays as it is',
      roles: writers,
      params: projectParams,
      body: changeSchema,
      answer: { status: 200, schema: settingsSchema, description: 'The pool' },
      handle: async ({ params, body, perform }) => {
        const { enabled, targetSize: min, branch, setupCommands: setup, maxAgeMinutes } = body
        const spec = { enabled, min, branch, setup, maxAgeMinutes }
        const wanted = {
          reference: { project: params.projectId },
          body: { spec },
          branchField: 'body.branch',
        }
        return perform(changeWarmPool, wanted, async (pool, tx) => ({
          status: 200,
          value: await show(tx, pool),
        }))
      },
    },
    capyErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: `${path}/clear`,
      tag,
      summary: 'Remove every unclaimed instance; with replenish (the default) the pool fills anew',
      roles: writers,
      params: projectParams,
      body: clearSchema,
      answer: { status: 200, schema: settingsSchema, description: 'The pool' },
      handle: async ({ params, body, perform }) =>
        perform(clearWarmPool, { reference: { project: params.projectId }, body }, async (pool, tx) => ({
          status: 200,
          value: toSettings(await showWarmPool(tx, pool), []),
        })),
    },
    capyErrors,
  )
}

/** Settings shown for a project without a pool: the dialect knows no such project. */
const noPool: z.infer<typeof settingsSchema> = {
  enabled: false,
  targetSize: 0,
  branch: null,
  setupCommands: [],
  maxAgeMinutes: null,
  status: { ready: 0, provisioning: 0, failed: 0, claimed: 0 },
  instances: [],
}

function toSettings(
  { spec, status }: WarmPool,
  instances: z.infer<typeof instanceRowSchema>[],
): z.infer<typeof settingsSchema> {
  const { ready, provisioning, failed, claimed } = status
  return {
    enabled: spec.enabled,
    targetSize: spec.min,
    branch: spec.branch,
    setupCommands: toCapyCommands(spec.setup),
    maxAgeMinutes: spec.maxAgeMinutes,
    status: { ready, provisioning, failed, claimed },
    instances,
  }
}
