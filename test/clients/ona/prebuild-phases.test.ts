import { EnvironmentAutomationService } from '@hearth/control-plane/ona/gitpod/v1/environment_automation_pb'
import {
  PrebuildPhase,
  PrebuildService,
  PrebuildMetadata_PrebuildTrigger as Trigger,
} from '@hearth/control-plane/ona/gitpod/v1/prebuild_pb'
import { ProjectService } from '@hearth/control-plane/ona/gitpod/v1/project_pb'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { housekeeping } from '../../system/housekeeping.ts'
import { Ground } from './ground.ts'

let ground: Ground
let offset = 0
beforeAll(async () => {
  ground = await Ground.start({ overrides: { clock: { now: () => new Date(Date.now() + offset) } } })
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

const patience = { timeoutMilliseconds: 60_000, intervalMilliseconds: 20 }

const client = () => ground.connect(PrebuildService)

async function phaseOf(prebuildId: string): Promise<PrebuildPhase> {
  return (await client().getPrebuild({ prebuildId })).prebuild?.status?.phase ?? PrebuildPhase.UNSPECIFIED
}

/** A new prebuild, as soon as it is in that phase. */
async function prebuildIn(phase: PrebuildPhase): Promise<string> {
  const { prebuild } = await client().createPrebuild({ projectId: await ground.project('slow'), spec: {} })
  const prebuildId = prebuild?.id ?? ''
  await eventually(async () => {
    const now = await phaseOf(prebuildId)
    if (now > phase) throw new Error(`it is in phase ${PrebuildPhase[now]} already`)
    return now === phase
  }, patience)
  return prebuildId
}

const phases = [PrebuildPhase.PENDING, PrebuildPhase.RUNNING, PrebuildPhase.SNAPSHOTTING]

test.each(phases.map((phase) => [PrebuildPhase[phase], phase] as const))(
  'is cancelled, and deleted, in phase %s',
  async (_, phase) => {
    const cancelled = await prebuildIn(phase)
    await client().cancelPrebuild({ prebuildId: cancelled })
    await eventually(async () => (await phaseOf(cancelled)) === PrebuildPhase.CANCELLED, patience)
    await client().deletePrebuild({ prebuildId: cancelled })
    const deleted = await prebuildIn(phase)
    await client().deletePrebuild({ prebuildId: deleted })
    for (const id of [cancelled, deleted])
      await eventually(async () => (await phaseOf(id)) === PrebuildPhase.DELETED, patience)
  },
)

test('is made by a daily hour, in the name of who made the project', async () => {
  const projects = ground.connect(ProjectService)
  const hourUtc = (new Date().getUTCHours() + 2) % 24
  const { project } = await projects.createProject({
    name: 'daily',
    initializer: { specs: [] },
    prebuildConfiguration: {
      enabled: true,
      environmentClassIds: [await ground.classNamed('quick')],
      trigger: { trigger: { case: 'dailySchedule', value: { hourUtc } } },
    },
  })
  const filter = { projectIds: [project?.id ?? ''], triggeredBy: [Trigger.SCHEDULED] }
  await housekeeping(ground.installation)
  expect((await client().listPrebuilds({ filter })).prebuilds).toEqual([])
  offset = 2 * 3_600_000
  const made = await eventually(async () => {
    await housekeeping(ground.installation)
    return (await client().listPrebuilds({ filter })).prebuilds[0]
  }, patience)
  expect(made.metadata).toMatchObject({
    triggeredBy: Trigger.SCHEDULED,
    creator: { id: project?.metadata?.creator?.id },
    executor: { id: project?.metadata?.creator?.id },
  })
  await eventually(async () => (await phaseOf(made.id)) === PrebuildPhase.COMPLETED, patience)
})

test('a failed task fails its prebuild only where success is required of it, and is a warning otherwise', async () => {
  const automations = ground.connect(EnvironmentAutomationService)
  const made = async (allowFailure: boolean) => {
    const { projectId } = await ground.native.apply({
      apiVersion: 'hearth/v1',
      name: `lint-${allowFailure ? 'may-fail' : 'must-succeed'}`,
      prebuilds: { classes: ['quick'] },
      tasks: { lint: { command: 'exit 3', on: 'prebuild', allowFailure } },
    })
    const { prebuild } = await client().createPrebuild({ projectId, spec: {} })
    const prebuildId = prebuild?.id ?? ''
    const ended = await eventually(async () => {
      const { prebuild: now } = await client().getPrebuild({ prebuildId })
      const phase = now?.status?.phase ?? PrebuildPhase.UNSPECIFIED
      return phase === PrebuildPhase.COMPLETED || phase === PrebuildPhase.FAILED ? now?.status : null
    }, patience)
    const filter = { environmentIds: [ended.environmentId] }
    const { tasks } = await automations.listTasks({ filter })
    return { ...ended, required: tasks[0]?.spec?.prebuildRequiresSuccess }
  }
  expect(await made(true)).toMatchObject({
    phase: PrebuildPhase.COMPLETED,
    warningMessage: expect.stringContaining('exit code 3'),
    required: false,
  })
  expect(await made(false)).toMatchObject({
    phase: PrebuildPhase.FAILED,
    failureMessage: expect.stringContaining('exit code 3'),
    required: true,
  })
})
