import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
beforeAll(async () => {
  installation = await startInstallation()
})
afterAll(() => installation[Symbol.asyncDispose]())

/** Last parts of URLs that would have another meaning as subjects, files or options. */
const folders = ['My_App.Web', '.github', 'a..b', 'a.b.', 'a-b', 'a_b']

test('whatever a repository is called, its steps run and their logs are its own', async () => {
  const { client } = installation
  await using agent = await startSyntheticAgent(installation, { name: 'host', timings: { heartbeat: 200 } })
  const repositories = folders.map((folder) => ({
    url: `https://git.hearth.example/team/${folder}.git`,
    setup: [`echo this is ${folder}`],
  }))
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'shop', repositories })
  const project = await client.projects.get(projectId)
  expect(project.spec.repositories.map(({ name }) => name)).toEqual(folders)
  const [environmentClass] = await client.environmentClasses.listAll({ name: 'small' })
  const made = await client.environments.create({
    spec: { projectId, environmentClassId: environmentClass?.metadata.id ?? '' },
  })
  const { id } = made.metadata
  const running = await until(
    client,
    'a machine to run',
    () => client.environments.get(id),
    ({ status }) => status.phase === 'running' || status.phase === 'failed',
  )
  expect(running.status.failure).toBeNull()
  expect(running.status.runnerId).toBe(agent.runner.metadata.id)
  const { signal } = new AbortController()
  for (const folder of folders) {
    const steps = new Set<string>()
    for await (const chunk of client.environments.logs(id, { step: `repo_setup.${folder}`, signal }))
      steps.add(chunk.step)
    expect([...steps]).toEqual([`repo_setup.${folder}`])
  }
}, 60_000)
