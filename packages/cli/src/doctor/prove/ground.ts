import type { HearthClient } from '@hearth/client'
import type { Runner } from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import { waitUntil } from '../../commands/waiting.ts'
import type { UndoList } from '../../dev/undo-list.ts'
import { goneIsNull } from '../../kinds/gone-is-null.ts'

/** What the proof is made with, all of it of this run alone. */
export interface Ground {
  /** Name of the project, its pool, its class and the label of the runner. */
  name: string
  runner: Runner
  /** Its machines are pretended: nothing can be run in them. */
  isSynthetic: boolean
  warmPoolId: string
}

/** Small enough for three of them at once on any host. */
const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4 }
/** How long the removal may take, which goes on though the command was interrupted. */
const removalSeconds = 180
const imagePreferred = 'debian-12'

/**
 * Makes a project with an empty pool and a class of its own, whose machines all come to one runner. What undoes it is in
 * the list before it is made.
 */
export async function prepareGround(
  client: HearthClient,
  runnerName: string | undefined,
  undo: UndoList,
  signal: AbortSignal,
): Promise<Ground> {
  const runner = await chooseRunner(client, runnerName, signal)
  const { facts } = runner.status
  const image = facts?.images.includes(imagePreferred) === true ? imagePreferred : facts?.images[0]
  if (image === undefined)
    throw new HearthError('conflict', `runner ${runner.metadata.name} has no base image: hearth image build`)
  const name = `prove-${newId().slice(-8)}`
  undo.add('the label of the runner', () => removeLabel(client, runner.metadata.id, name))
  const labels = { ...runner.metadata.labels, [name]: 'yes' }
  await client.runners.update(runner.metadata.id, { labels }, { signal })
  undo.add('the environment class', () => removeClass(client, name))
  await client.environmentClasses.create(
    { name, spec: { ...size, image, runnerSelector: { [name]: 'yes' } } },
    { signal },
  )
  undo.add('the project with its machines and snapshots', () => removeProject(client, name))
  const applied = await client.apply(
    { apiVersion: 'hearth/v1', name, warmPools: [{ environmentClass: name, min: 0 }] },
    { signal },
  )
  const warmPoolId = applied.warmPools[0]?.id ?? ''
  return { name, runner, isSynthetic: facts?.virtualization === 'synthetic', warmPoolId }
}

async function chooseRunner(
  client: HearthClient,
  name: string | undefined,
  signal: AbortSignal,
): Promise<Runner> {
  if (name !== undefined) return requireActive(await client.runners.get(name, { signal }))
  const runners = await client.runners.listAll({}, { signal })
  const [only] = runners
  if (only === undefined)
    throw new HearthError('conflict', 'no runner has joined: start one with `hearth runner join`')
  if (runners.length === 1) return requireActive(only)
  throw new HearthError('invalid', 'there are several runners', {
    details: [
      {
        field: '--runner',
        given: '',
        expected: `one of ${runners.map(({ metadata }) => metadata.name).join(', ')}`,
      },
    ],
  })
}

function requireActive(runner: Runner): Runner {
  const { phase } = runner.status
  if (phase === 'active') return runner
  const { name } = runner.metadata
  throw new HearthError('conflict', `runner ${name} is ${phase}: \`hearth why ${name}\` says why`)
}

async function removeLabel(client: HearthClient, id: string, label: string): Promise<void> {
  const runner = await client.runners.get(id).catch(goneIsNull)
  if (runner === null) return
  const labels = Object.fromEntries(Object.entries(runner.metadata.labels).filter(([key]) => key !== label))
  await client.runners.update(id, { labels })
}

async function removeClass(client: HearthClient, name: string): Promise<void> {
  await client.environmentClasses.delete(name).catch(goneIsNull)
}

/** Returns when nothing of the project is left on any host. */
async function removeProject(client: HearthClient, name: string): Promise<void> {
  const signal = AbortSignal.timeout(removalSeconds * 1_000)
  const project = await client.projects.get(name, { signal }).catch(goneIsNull)
  if (project === null) return
  const { id } = project.metadata
  const wait = (what: string, ask: () => Promise<boolean>) =>
    waitUntil(what, ask, { seconds: removalSeconds, signal })
  await client.projects.delete(id, { force: true, signal })
  await wait(`the machines of project ${name} to be gone`, async () => {
    const machines = await client.environments.listAll({ projectId: id }, { signal })
    return machines.every(({ status }) => status.phase === 'deleted')
  })
  // The newest first: its disk stands on those before it.
  const snapshots = (await client.snapshots.listAll({ projectId: id }, { signal })).toSorted((a, b) =>
    a.metadata.id < b.metadata.id ? 1 : -1,
  )
  for (const { metadata } of snapshots) {
    await client.snapshots.delete(metadata.id, { force: true, signal }).catch(goneIsNull)
    await wait(`snapshot ${metadata.name} to be gone`, async () => {
      const left = await client.snapshots.get(metadata.id, { signal }).catch(goneIsNull)
      return left === null || left.status.phase === 'deleted'
    })
  }
  await wait(
    `project ${name} to be gone`,
    async () => (await client.projects.get(id, { signal }).catch(goneIsNull)) === null,
  )
}
