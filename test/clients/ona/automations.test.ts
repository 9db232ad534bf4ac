import { Code, ConnectError } from '@connectrpc/connect'
import Gitpod from '@gitpod/sdk'
import { runCommand, runService } from '@gitpod/sdk/lib/automation'
import { waitForEnvironmentRunning } from '@gitpod/sdk/lib/environment'
import { ServicePhase, TaskExecutionPhase } from '@hearth/control-plane/ona/gitpod/v1/automation_resource_pb'
import { EnvironmentAutomationService } from '@hearth/control-plane/ona/gitpod/v1/environment_automation_pb'
import { EventService, ResourceType } from '@hearth/control-plane/ona/gitpod/v1/event_pb'
import { isId, newId } from '@hearth/foundation'
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

const patience = { timeoutMilliseconds: 60_000 }

async function runningEnvironment(): Promise<string> {
  const { environment } = await ona.environments.createFromProject({
    projectId: await ground.project('quick'),
    spec: { machine: { class: await ground.classNamed('quick') } },
  })
  await waitForEnvironmentRunning(ona, environment.id)
  return environment.id
}

async function linesOf(reading: Promise<AsyncIterable<string>>): Promise<string[]> {
  const lines: string[] = []
  for await (const line of await reading) lines.push(line)
  return lines
}

async function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  try {
    await call
    return undefined
  } catch (thrown) {
    return ConnectError.from(thrown).code
  }
}

describe('the SDK of the older generation', () => {
  test('runs commands one after another as one task, and reads what each prints', async () => {
    const environmentId = await runningEnvironment()
    expect(await linesOf(runCommand(ona, environmentId, 'echo first'))).toEqual(['first'])
    expect(await linesOf(runCommand(ona, environmentId, 'sleep 1; echo second'))).toEqual(['second'])
    const { tasks } = await ona.environments.automations.tasks.list({
      filter: { environmentIds: [environmentId], references: ['gitpod-typescript-sdk'] },
    })
    expect(tasks).toMatchObject([
      {
        environmentId,
        metadata: { reference: 'gitpod-typescript-sdk', name: 'Gitpod TypeScript SDK Task' },
        spec: { command: 'sleep 1; echo second' },
      },
    ])
    const executions: string[] = []
    for await (const { id, status } of ona.environments.automations.tasks.executions.list({
      filter: { taskIds: [tasks[0]?.id ?? ''] },
      pagination: { pageSize: 1 },
    })) {
      expect(status?.phase).toBe('TASK_EXECUTION_PHASE_SUCCEEDED')
      executions.push(id)
    }
    expect(executions).toHaveLength(2)
    expect(executions.every(isId)).toBe(true)
  })

  test('runs a service and reads what it prints while it runs', async () => {
    const environmentId = await runningEnvironment()
    const metadata = { reference: 'web', name: 'Web', description: 'what it is for' }
    const commands = { start: 'echo serving; sleep 600' }
    const seen: string[] = []
    for await (const line of await runService(ona, environmentId, metadata, { commands })) {
      seen.push(line)
      break
    }
    expect(seen).toEqual(['serving'])
    const { services } = await ona.environments.automations.services.list({
      filter: { environmentIds: [environmentId], references: ['web'] },
    })
    expect(services).toMatchObject([
      { metadata, spec: { commands }, status: { phase: 'SERVICE_PHASE_RUNNING' } },
    ])
    const id = services[0]?.id ?? ''
    await ona.environments.automations.services.stop({ id })
    await eventually(async () => {
      const { service } = await ona.environments.automations.services.retrieve({ id })
      return service.status?.phase === 'SERVICE_PHASE_STOPPED'
    }, patience)
    await ona.environments.automations.services.delete({ id })
    await eventually(async () => {
      const left = await ona.environments.automations.services.list({ filter: { serviceIds: [id] } })
      return left.services.length === 0
    }, patience)
  })
})

describe.each(formats)('automations over Connect in %s', (format) => {
  const client = () => ground.connect(EnvironmentAutomationService, format)
  const phaseOf = async (id: string) =>
    (await client().getTaskExecution({ id })).taskExecution?.status?.phase ?? TaskExecutionPhase.UNSPECIFIED

  test('a task is made without being started, started with what it depends on, changed, stopped and deleted', async () => {
    const environmentId = await runningEnvironment()
    const { task: build } = await client().createTask({
      environmentId,
      metadata: { reference: 'Build_It', description: 'makes it' },
      spec: { command: 'echo built', env: [{ name: 'STAGE', source: { case: 'value', value: 'test' } }] },
    })
    expect(build).toMatchObject({
      metadata: { reference: 'Build_It', name: 'Build_It', description: 'makes it' },
      spec: { command: 'echo built', env: [{ name: 'STAGE', source: { value: 'test' } }] },
    })
    const buildId = build?.id ?? ''
    expect((await client().listTaskExecutions({ filter: { taskIds: [buildId] } })).taskExecutions).toEqual([])
    const { task } = await client().createTask({
      environmentId,
      metadata: { reference: 'check' },
      spec: { command: 'exit 3' },
      dependsOn: [buildId],
    })
    const id = task?.id ?? ''
    expect(task?.dependsOn).toEqual([buildId])
    const { taskExecution: first } = await client().startTask({ id })
    expect(first).toMatchObject({
      metadata: { taskId: id, environmentId },
      spec: { desiredPhase: TaskExecutionPhase.SUCCEEDED },
    })
    const firstId = first?.id ?? ''
    await eventually(async () => (await phaseOf(firstId)) === TaskExecutionPhase.FAILED, patience)
    const failed = (await client().getTaskExecution({ id: firstId })).taskExecution
    expect(failed?.status?.failureMessage).toContain('exit code 3')
    expect(failed?.metadata?.completedAt).toBeDefined()
    const { taskExecutions } = await client().listTaskExecutions({
      filter: { taskReferences: ['Build_It'], environmentIds: [environmentId] },
    })
    expect(taskExecutions.map(({ status }) => status?.phase)).toEqual([TaskExecutionPhase.SUCCEEDED])

    await client().updateTask({ id, metadata: { name: 'Checks' }, spec: { command: 'echo on; sleep 600' } })
    const { task: changed } = await client().getTask({ id })
    expect(changed).toMatchObject({
      metadata: { reference: 'check', name: 'Checks' },
      spec: { command: 'echo on; sleep 600' },
      dependsOn: [buildId],
    })
    const { taskExecution: second } = await client().startTask({ id })
    const secondId = second?.id ?? ''
    expect(secondId).not.toBe(firstId)
    await eventually(async () => (await phaseOf(secondId)) === TaskExecutionPhase.RUNNING, patience)
    expect((await client().startTask({ id })).taskExecution?.id).toBe(secondId)
    expect(await codeOf(client().updateTask({ id, spec: { command: 'echo' } }))).toBe(Code.FailedPrecondition)
    // What is over is not stopped, nor what came after it.
    await client().stopTaskExecution({ id: firstId })
    expect(await phaseOf(secondId)).toBe(TaskExecutionPhase.RUNNING)
    await client().stopTaskExecution({ id: secondId })
    await eventually(async () => (await phaseOf(secondId)) === TaskExecutionPhase.STOPPED, patience)
    expect(await phaseOf(firstId)).toBe(TaskExecutionPhase.FAILED)
    for (const phase of [TaskExecutionPhase.FAILED, TaskExecutionPhase.STOPPED]) {
      const filter = { taskIds: [id], phases: [phase] }
      const listed = (await client().listTaskExecutions({ filter })).taskExecutions
      expect(listed.map((one) => one.status?.phase)).toEqual([phase])
    }
    await client().deleteTask({ id })
    await eventually(async () => (await codeOf(client().getTask({ id }))) === Code.NotFound, patience)
    expect(await codeOf(client().getTaskExecution({ id: firstId }))).toBe(Code.NotFound)
  })

  test('executions are told of as events of their environment', async () => {
    const environmentId = await runningEnvironment()
    const { task } = await client().createTask({ environmentId, spec: { command: 'echo done' } })
    const ended = new AbortController()
    const stream = ground.connect(EventService, format).watchEvents(
      {
        scope: { case: 'environmentId', value: environmentId },
        resourceTypeFilters: [{ resourceType: ResourceType.TASK_EXECUTION }],
      },
      { signal: ended.signal },
    )
    // Nothing says that the stream is open: a start of another task is asked for until it is told of.
    let last = ''
    const following = (async () => {
      for await (const { resourceId } of stream)
        if (resourceId === last && (await phaseOf(resourceId)) === TaskExecutionPhase.SUCCEEDED) return true
      return false
    })()
    let isOver = false
    const noteEnd = () => {
      isOver = true
    }
    following.then(noteEnd, noteEnd)
    await eventually(async () => {
      last = (await client().startTask({ id: task?.id ?? '' })).taskExecution?.id ?? ''
      await eventually(async () => (await phaseOf(last)) === TaskExecutionPhase.SUCCEEDED, patience)
      return isOver
    }, patience)
    expect(await following).toBe(true)
    ended.abort()
  })

  test('a service is made, started, seen ready, and stopped', async () => {
    const environmentId = await runningEnvironment()
    const { service } = await client().createService({
      environmentId,
      metadata: { reference: 'db' },
      spec: { commands: { start: 'sleep 600', ready: 'echo ready' }, readinessTimeout: { seconds: 60n } },
    })
    expect(service).toMatchObject({
      spec: { desiredPhase: ServicePhase.STOPPED, readinessTimeout: { seconds: 60n } },
      status: { phase: ServicePhase.STOPPED, logUrl: '' },
    })
    const id = service?.id ?? ''
    const phase = async () => (await client().getService({ id })).service?.status?.phase
    await client().updateService({ id, spec: { commands: { start: 'sleep 300' } } })
    await client().startService({ id })
    await eventually(async () => (await phase()) === ServicePhase.RUNNING, patience)
    expect((await client().getService({ id })).service?.spec?.commands?.start).toBe('sleep 300')
    await client().stopService({ id })
    await eventually(async () => (await phase()) === ServicePhase.STOPPED, patience)
  })

  test('a file is upserted: what is new or other is told, and an error changes nothing', async () => {
    const environmentId = await runningEnvironment()
    const upsert = (services: Record<string, object>, tasks: Record<string, object>) =>
      client().upsertAutomationsFile({ environmentId, automationsFile: { services, tasks } })
    const check = { command: 'echo checked', dependsOn: ['Build_It'] }
    const services = { db: { name: 'Database', commands: { start: 'sleep 600', ready: 'echo' } } }
    const tasks = { check, Build_It: { command: 'echo built', triggeredBy: ['manual'] } }
    const first = await upsert(services, tasks)
    expect([first.updatedServiceIds.length, first.updatedTaskIds.length]).toEqual([1, 2])
    const again = await upsert(services, tasks)
    expect([again.updatedServiceIds, again.updatedTaskIds]).toEqual([[], []])
    const changed = await upsert(services, { ...tasks, check: { ...check, command: 'exit 5' } })
    const { tasks: listed } = await client().listTasks({
      filter: { environmentIds: [environmentId], references: ['check'] },
    })
    expect(listed.map(({ id }) => id)).toEqual(changed.updatedTaskIds)
    const [id = ''] = changed.updatedTaskIds
    expect(listed[0]?.spec?.command).toBe('exit 5')
    const { taskExecution } = await client().startTask({ id })
    await eventually(
      async () => (await phaseOf(taskExecution?.id ?? '')) === TaskExecutionPhase.FAILED,
      patience,
    )
    const circle = {
      one: { command: 'echo', dependsOn: ['two'] },
      two: { command: 'echo', dependsOn: ['one'] },
    }
    expect(await codeOf(upsert({}, { late: { command: 'echo' }, ...circle }))).toBe(Code.InvalidArgument)
    expect(await codeOf(upsert({ check: { commands: { start: 'echo' } } }, {}))).toBe(Code.FailedPrecondition)
    expect(
      await codeOf(upsert({ both: { commands: { start: 'echo' } } }, { both: { command: 'echo' } })),
    ).toBe(Code.InvalidArgument)
    expect(await codeOf(upsert({}, { 'a b': { command: 'echo' } }))).toBe(Code.InvalidArgument)
    const references = (await client().listTasks({ filter: { environmentIds: [environmentId] } })).tasks.map(
      ({ metadata }) => metadata?.reference,
    )
    expect(references.toSorted()).toEqual(['Build_It', 'check'])
  })

  test('are refused with what is wrong', async () => {
    const environmentId = await runningEnvironment()
    const make = (metadata: object, spec: object, dependsOn: string[] = []) =>
      codeOf(client().createTask({ environmentId, metadata, spec, dependsOn }))
    const spec = { command: 'echo' }
    expect(await make({ reference: 'a b' }, spec)).toBe(Code.InvalidArgument)
    expect(await make({ reference: 'one' }, { command: '' })).toBe(Code.InvalidArgument)
    expect(await make({ reference: 'one' }, spec, [newId()])).toBe(Code.InvalidArgument)
    const atStart = { trigger: { case: 'postEnvironmentStart', value: true } }
    expect(await make({ reference: 'one', triggeredBy: [atStart] }, spec)).toBe(Code.FailedPrecondition)
    const inDocker = { target: { case: 'docker', value: { image: 'node' } } }
    expect(await make({ reference: 'one' }, { ...spec, runsOn: inDocker })).toBe(Code.FailedPrecondition)
    expect(await make({ reference: 'one' }, spec)).toBe(undefined)
    expect(await make({ reference: 'one' }, spec)).toBe(Code.AlreadyExists)
    const env = [{ name: 'TOKEN', source: { case: 'value', value: 'hunter2\0' } as const }]
    const hidden = client().createTask({
      environmentId,
      metadata: { reference: 'two' },
      spec: { ...spec, env },
    })
    await expect(hidden).rejects.toMatchObject({
      code: Code.InvalidArgument,
      message: expect.not.stringContaining('hunter2'),
    })
    const stop = { start: 'sleep 1', stop: 'echo' }
    expect(await codeOf(client().createService({ environmentId, spec: { commands: stop } }))).toBe(
      Code.FailedPrecondition,
    )
    expect(await codeOf(client().getTaskExecution({ id: newId() }))).toBe(Code.NotFound)
    expect(await codeOf(client().getTask({ id: 'one' }))).toBe(Code.InvalidArgument)
  })
})
