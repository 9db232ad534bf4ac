import Gitpod, { APIError } from '@gitpod/sdk'
import { ProjectService } from '@hearth/control-plane/ona/gitpod/v1/project_pb'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formats, Ground } from './ground.ts'

let ground: Ground
let ona: Gitpod
beforeAll(async () => {
  ground = await Ground.start()
  ona = new Gitpod({ baseURL: ground.baseUrl, bearerToken: ground.installation.token })
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

const initializer = (remoteUri = 'https://git.example.com/shop.git') => ({
  specs: [
    { git: { remoteUri, targetMode: 'CLONE_TARGET_MODE_REMOTE_BRANCH' as const, cloneTarget: 'main' } },
  ],
})

test('a project is made, read, changed, listed and deleted with the SDK of the older generation', async () => {
  const { project } = await ona.projects.create({
    name: 'My shop!',
    initializer: initializer(),
    automationsFilePath: '.ona/automations.yaml',
  } as never)
  expect(project).toMatchObject({
    metadata: { name: 'My shop!', creator: { principal: 'PRINCIPAL_USER' } },
    initializer: initializer(),
    automationsFilePath: '.ona/automations.yaml',
  })
  const id = project?.id ?? ''
  const native = await ground.native.projects.get(id)
  expect(native.metadata.name).toBe('my-shop')
  expect(native.spec.repositories).toMatchObject([
    { url: 'https://git.example.com/shop.git', branch: 'main' },
  ])
  const again = await ona.projects.create({ name: 'My shop!', initializer: initializer() } as never)
  expect((await ground.native.projects.get(again.project?.id ?? '')).metadata.name).toMatch(/^my-shop-/)

  await ona.projects.update({ projectId: id, name: 'Ours' })
  expect((await ona.projects.retrieve({ projectId: id })).project?.metadata?.name).toBe('Ours')
  const seen: string[] = []
  for await (const each of ona.projects.list({ pagination: { pageSize: 1 } })) seen.push(each.id ?? '')
  expect(seen).toEqual([again.project?.id, id])
  await ona.projects.delete({ projectId: id })
  const refused = async () => {
    const thrown: unknown = await ona.projects.retrieve({ projectId: id }).catch((error: unknown) => error)
    return thrown instanceof APIError && thrown.status === 404
  }
  await eventually(refused, { timeoutMilliseconds: 30_000 })
})

describe.each(formats)('Connect in %s', (format) => {
  test('a project has classes in an order, and makes prebuilds of some each day', async () => {
    const projects = ground.connect(ProjectService, format)
    const [quick, slow] = [await ground.classNamed('quick'), await ground.classNamed('slow')]
    const { project } = await projects.createProject({
      name: `daily ${format}`,
      initializer: { specs: [] },
      prebuildConfiguration: {
        enabled: true,
        environmentClassIds: [slow],
        timeout: { seconds: 900n },
        trigger: { trigger: { case: 'dailySchedule', value: { hourUtc: 4 } } },
      },
    })
    const projectId = project?.id ?? ''
    expect(project?.prebuildConfiguration).toMatchObject({
      enabled: true,
      environmentClassIds: [slow],
      timeout: { seconds: 900n },
      trigger: { trigger: { value: { hourUtc: 4 } } },
    })
    expect((await ground.native.projects.get(projectId)).spec.prebuilds).toMatchObject({
      schedule: { dailyHour: 4, timeZone: 'UTC' },
    })
    await projects.updateProjectEnvironmentClasses({
      projectId,
      projectEnvironmentClasses: [
        { environmentClass: { case: 'environmentClassId', value: slow }, order: 7 },
        { environmentClass: { case: 'environmentClassId', value: quick }, order: 3 },
      ],
    })
    const { projectEnvironmentClasses } = await projects.listProjectEnvironmentClasses({ projectId })
    expect(projectEnvironmentClasses.map(({ environmentClass }) => environmentClass.value)).toEqual([
      quick,
      slow,
    ])
    const unknown = { environmentClass: { case: 'environmentClassId' as const, value: newId() }, order: 1 }
    await expect(
      projects.updateProjectEnvironmentClasses({ projectId, projectEnvironmentClasses: [unknown] }),
    ).rejects.toThrow(/environmentClasses\.0/)
    await projects.updateProject({ projectId, prebuildConfiguration: { enabled: false } })
    expect((await ground.native.projects.get(projectId)).spec.prebuilds).toBeNull()
  })

  test('many projects are made, changed and deleted at once, and one that is wrong stops no other', async () => {
    const projects = ground.connect(ProjectService, format)
    const of = (name: string) => ({ name, initializer: { specs: [] } })
    const made = await projects.createProjects({
      projects: [of(`one ${format}`), of('x'.repeat(81)), of(`two ${format}`)],
    })
    expect(made.createdProjects.map(({ metadata }) => metadata?.name)).toEqual([
      `one ${format}`,
      `two ${format}`,
    ])
    expect(made.failedProjects).toMatchObject([{ index: 1, error: expect.stringContaining('name') }])
    const [first = '', second = ''] = made.createdProjects.map(({ id }) => id)
    const changed = await projects.updateProjects({
      projects: [
        { projectId: first, name: 'renamed' },
        { projectId: newId(), name: 'nobody' },
      ],
    })
    expect(changed.updatedProjects.map(({ metadata }) => metadata?.name)).toEqual(['renamed'])
    expect(changed.failedProjects).toMatchObject([
      { index: 1, error: expect.stringContaining('there is no project') },
    ])
    const gone = await projects.deleteProjects({ projectIds: [first, newId(), second] })
    expect(gone.deletedProjectIds).toEqual([first, second])
    expect(gone.failedProjects.map(({ index }) => index)).toEqual([1])
  })
})

test('a project is made of what an environment was made with', async () => {
  const { project: first } = await ona.projects.create({
    name: 'Origin',
    initializer: initializer(),
  } as never)
  const { environment } = await ona.environments.createFromProject({
    projectId: first?.id ?? '',
    spec: { machine: { class: await ground.classNamed('quick') } },
  })
  const { project } = await ona.projects.createFromEnvironment({
    name: 'Copy of it',
    environmentId: environment.id,
  })
  expect(project).toMatchObject({ metadata: { name: 'Copy of it' }, initializer: initializer() })
  const again = await ona.environments.createFromProject({ projectId: project?.id ?? '' })
  expect(again.environment.spec?.machine?.class).toBe(await ground.classNamed('quick'))
})
