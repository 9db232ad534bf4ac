import { randomBytes } from 'node:crypto'
import {
  type DeclaredProcesses,
  defaultQuotas,
  serviceDefinitionInputSchema,
  taskDefinitionInputSchema,
} from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Encryption } from '../../database/encryption.ts'
import { placementReconciler } from '../environment/index.ts'
import { projectSpec, World } from '../world.fixture.ts'
import { prebuildReconciler } from './reconcile.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

const encryption = new Encryption(randomBytes(32))
const reconciler = prebuildReconciler({ quotas: defaultQuotas, encryption })
const task = (more: object = {}) => taskDefinitionInputSchema.parse({ command: 'make', ...more })
const services = { db: serviceDefinitionInputSchema.parse({ command: 'serve' }) }
const lint = { lint: task() }
const seed = { seed: task({ on: 'prebuild', dependsOn: ['db'] }) }

test.each<[string, Partial<DeclaredProcesses>, string[]]>([
  ['where its project declares services only', { services }, ['snapshot']],
  ['where no task of its project is part of it', { tasks: lint, services }, ['snapshot']],
  ['unless a task is part of it', { tasks: seed, services }, ['process', 'snapshot']],
])('it is built where the agent has no tasks and services, %s', async (_, declared, work) => {
  const party = await world.party()
  await party.runner({ work_kinds: '["environment","snapshot"]' })
  const projectId = await party.project()
  await party.change('projects', projectId, { spec: JSON.stringify({ ...projectSpec, ...declared }) })
  const id = await party.prebuild(await party.pool(projectId, { min: 0 }), 'pending')
  await world.reconcile(reconciler, id)
  await world.reconcile(placementReconciler, party.organizationId)
  const machine = await world.database
    .selectFrom('environments')
    .select(['needs', 'runner_id'])
    .where('owner_id', '=', id)
    .executeTakeFirstOrThrow()
  expect(machine.needs?.work).toEqual(work)
  expect(machine.runner_id === null).toBe(work.includes('process'))
})
