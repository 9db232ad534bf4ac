import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../world.fixture.ts'
import { makePipeline } from './pipeline.fixture.ts'
import { pipelines } from './queries.ts'
import { explain } from './why-queries.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

const nextOf = async (id: string) => {
  const row = await pipelines.readById(world.database, id)
  if (row === undefined) throw new Error('there is no such pipeline')
  return (await explain(world.database, row)).next
}

test('a suspension that does not end names the stop by force', async () => {
  const party = await world.party()
  const id = await makePipeline(party, {
    ...{ resources: 'provisioned', desired: 'provisioned', program: 'success', storage: 'in_use' },
    ...{ runtime: 'running', desired_runtime: 'suspended' },
  })
  expect(await nextOf(id)).toMatch(/`hearth pipeline stop \S+ --force` ends it at once/)
})

test('a stop on a host that is silent names the removal of its runner', async () => {
  const party = await world.party()
  const runner_id = await party.runner({ name: 'rack-9' })
  const environment_id = await party.environment(await party.pool(await party.project()), 'running', {
    ...{ runner_id, unreachable: true },
  })
  const id = await makePipeline(party, {
    ...{ resources: 'stopping', desired: 'stopped', program: 'success', storage: 'in_use', environment_id },
  })
  expect(await nextOf(id)).toContain('`hearth delete runner rack-9 --force`')
})
