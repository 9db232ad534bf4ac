import { Code, ConnectError } from '@connectrpc/connect'
import {
  PrebuildPhase,
  PrebuildService,
  WarmPoolPhase,
} from '@hearth/control-plane/ona/gitpod/v1/prebuild_pb'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formats, Ground } from './ground.ts'

let ground: Ground
beforeAll(async () => {
  ground = await Ground.start()
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

const patience = { timeoutMilliseconds: 60_000 }

/** The code of what a call is refused with. */
async function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  try {
    await call
    return undefined
  } catch (thrown) {
    return ConnectError.from(thrown).code
  }
}

describe.each(formats)('prebuilds over Connect in %s', (format) => {
  test('are made, seen through their phases, listed, and deleted', async () => {
    const client = ground.connect(PrebuildService, format)
    const projectId = await ground.project('slow')
    const { prebuild: made } = await client.createPrebuild({
      projectId,
      spec: { timeout: { seconds: 600n } },
    })
    expect(made).toMatchObject({
      metadata: { projectId, environmentClassId: await ground.classNamed('slow'), triggeredBy: 1 },
      spec: { desiredPhase: PrebuildPhase.COMPLETED, timeout: { seconds: 600n } },
      status: { phase: PrebuildPhase.PENDING },
    })
    const prebuildId = made?.id ?? ''
    const seen = new Set<PrebuildPhase>()
    const completed = await eventually(async () => {
      const { prebuild } = await client.getPrebuild({ prebuildId })
      seen.add(prebuild?.status?.phase ?? PrebuildPhase.UNSPECIFIED)
      return prebuild?.status?.phase === PrebuildPhase.COMPLETED ? prebuild : null
    }, patience)
    expect([...seen]).toContain(PrebuildPhase.RUNNING)
    expect([...seen]).toContain(PrebuildPhase.SNAPSHOTTING)
    expect(completed.status?.snapshotSizeBytes).toBeGreaterThan(0n)
    expect(completed.status?.completionTime).toBeDefined()
    expect(completed.status?.statusVersion).toBeGreaterThan(made?.status?.statusVersion ?? 0n)

    const { accessToken } = await client.createPrebuildLogsToken({ prebuildId })
    const log = await fetch(completed.status?.logUrl ?? '', {
      headers: { Authorization: `Bearer ${accessToken}` },
    })
    expect(await log.text()).toContain('make')

    const { prebuilds } = await client.listPrebuilds({
      filter: { projectIds: [projectId], phases: [PrebuildPhase.COMPLETED] },
    })
    expect(prebuilds.map(({ id }) => id)).toEqual([prebuildId])
    expect(
      (await client.listPrebuilds({ filter: { projectIds: [projectId], phases: [PrebuildPhase.FAILED] } }))
        .prebuilds,
    ).toEqual([])
    await client.deletePrebuild({ prebuildId })
    await eventually(async () => {
      const { prebuild } = await client.getPrebuild({ prebuildId })
      return prebuild?.status?.phase === PrebuildPhase.DELETED
    }, patience)
  })

  test('are cancelled', async () => {
    const client = ground.connect(PrebuildService, format)
    const { prebuild } = await client.createPrebuild({ projectId: await ground.project('slow'), spec: {} })
    const prebuildId = prebuild?.id ?? ''
    expect((await client.cancelPrebuild({ prebuildId })).prebuild?.spec?.desiredPhase).toBe(
      PrebuildPhase.CANCELLED,
    )
    await eventually(async () => {
      const now = await client.getPrebuild({ prebuildId })
      return now.prebuild?.status?.phase === PrebuildPhase.CANCELLED
    }, patience)
    expect(await codeOf(client.cancelPrebuild({ prebuildId }))).toBe(undefined)
  })

  test('have pools, one of each project and class', async () => {
    const client = ground.connect(PrebuildService, format)
    const projectId = await ground.project('quick')
    const environmentClassId = await ground.classNamed('quick')
    const { warmPool } = await client.createWarmPool({
      projectId,
      environmentClassId,
      minSize: 1,
      maxSize: 3,
    })
    expect(warmPool).toMatchObject({
      metadata: { projectId, environmentClassId },
      spec: { minSize: 1, maxSize: 3 },
      status: { runningInstances: 0 },
    })
    const warmPoolId = warmPool?.id ?? ''
    expect(await codeOf(client.createWarmPool({ projectId, environmentClassId }))).toBe(Code.AlreadyExists)
    const other = await ground.classNamed('slow')
    expect(await codeOf(client.createWarmPool({ projectId, environmentClassId: other }))).toBe(
      Code.FailedPrecondition,
    )
    const ready = await eventually(async () => {
      const now = (await client.getWarmPool({ warmPoolId })).warmPool
      return now?.status?.phase === WarmPoolPhase.READY ? now : null
    }, patience)
    expect(ready.status?.runningInstances).toBeGreaterThan(0)
    const changed = await client.updateWarmPool({ warmPoolId, minSize: 2 })
    expect(changed.warmPool?.spec).toMatchObject({ minSize: 2, maxSize: 3, specVersion: 2n })
    expect(await codeOf(client.updateWarmPool({ warmPoolId, minSize: 9 }))).toBe(Code.InvalidArgument)
    const { warmPools } = await client.listWarmPools({ filter: { projectIds: [projectId] } })
    expect(warmPools.map(({ id }) => id)).toEqual([warmPoolId])
    await client.deleteWarmPool({ warmPoolId })
    await eventually(
      async () => (await codeOf(client.getWarmPool({ warmPoolId }))) === Code.NotFound,
      patience,
    )
  })

  test('are refused with the field that is wrong', async () => {
    const client = ground.connect(PrebuildService, format)
    const projectId = await ground.project('quick')
    await expect(client.createPrebuild({ projectId: 'shop', spec: {} })).rejects.toThrow(/projectId/)
    const wrong = [
      () => client.createPrebuild({ projectId: 'shop', spec: {} }),
      () => client.createPrebuild({ projectId }),
      () => client.createPrebuild({ projectId, spec: { timeout: { seconds: 299n } } }),
      () => client.createPrebuild({ projectId, spec: { timeout: { seconds: 7_201n } } }),
      () => client.listPrebuilds({ pagination: { pageSize: 101 } }),
      () => client.listPrebuilds({ pagination: { token: 'another' } }),
      () => client.listPrebuilds({ filter: { projectIds: Array.from({ length: 26 }, () => newId()) } }),
      () => client.createWarmPool({ projectId, environmentClassId: newId(), maxSize: 21 }),
    ]
    for (const call of wrong) expect(await codeOf(call())).toBe(Code.InvalidArgument)
    expect(await codeOf(client.getPrebuild({ prebuildId: newId() }))).toBe(Code.NotFound)
    const stranger = ground.connect(PrebuildService, format, 'hearth_unknown')
    expect(await codeOf(stranger.listPrebuilds({}))).toBe(Code.Unauthenticated)
  })
})
