import { projectUpdateSchema } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CommandContext } from '../../api/command.ts'
import { transact } from '../../database/transact.ts'
import { type Party, World } from '../world.fixture.ts'
import { changeProject, deleteProject } from './commands.ts'
import { keptProject } from './kept.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

const kept = ({ organizationId }: Party) =>
  transact(world.database, (tx) => keptProject(tx, organizationId, 'pipelines'))
const contextOf = ({ organizationId }: Party) =>
  ({ services: {}, caller: { organizationId }, expectedVersion: null }) as unknown as CommandContext

test("somebody's own project of the same name is not taken for the kept one", async () => {
  const party = await world.party()
  const own = await party.project({ name: 'pipelines' })
  const first = await kept(party)
  expect(first.id).not.toBe(own)
  expect(first).toMatchObject({ kept_for: 'pipelines', name: `pipelines-${first.id.slice(-12)}` })
  expect((await kept(party)).id).toBe(first.id)
})

test('eight that ask at once get one project, by its plain name where that is free', async () => {
  const party = await world.party()
  const made = await Promise.all(Array.from({ length: 8 }, () => kept(party)))
  expect(new Set(made.map(({ id }) => id)).size).toBe(1)
  expect(made[0]?.name).toBe('pipelines')
})

test('a kept project is not changed, and is deleted only while nothing is in it, also by force', async () => {
  const party = await world.party()
  const { id } = await kept(party)
  const context = contextOf(party)
  const change = () =>
    transact(world.database, (tx) =>
      changeProject.run(
        tx,
        context,
        { reference: id, body: projectUpdateSchema.parse({ spec: { variables: { A: 'b' } } }) },
        undefined,
      ),
    )
  await expect(change()).rejects.toThrow('is kept by Hearth for the machines of pipelines')
  const remove = () =>
    transact(world.database, (tx) =>
      deleteProject.run(tx, context, { reference: id, body: { force: true } }, undefined),
    )
  const machine = await party.environment(await party.pool(id), 'running')
  await expect(remove()).rejects.toThrow('has 1 machines of pipelines')
  await world.database
    .updateTable('environments')
    .set({ phase: 'deleted', deadline: null })
    .where('id', '=', machine)
    .execute()
  expect((await remove()).phase).toBe('deleting')
})
