import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment, ProjectDeclarationInput } from '@hearth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { domainsOf } from './domains.ts'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage, offerMuteImage } from './images.ts'
import { processesWith } from './processes.ts'
import { untilDeleted, untilProvisioned } from './waiting.ts'

const muteSeconds = 8

let host: HardwareHost
const agents: HardwareAgent[] = []
const failing = new Map<'clone' | 'command' | 'mute', string>()

beforeAll(async () => {
  host = await startHost()
  const { client, imagesFolder } = host
  const muteImages = join(host.folder, 'mute-images')
  await offerImage(imagesFolder, 'debian-12')
  await offerMuteImage(muteImages, 'mute')
  agents.push(await host.startAgent('answering'))
  agents.push(
    await host.startAgent('mute', {
      HEARTH_IMAGES: muteImages,
      HEARTH_STEP_DEADLINE_SECONDS: `ensure_server:${muteSeconds}`,
    }),
  )
  const guest = await createGuestClass(client, 'guest', 'debian-12')
  const mute = await createGuestClass(client, 'mute', 'mute')
  const create = async (
    declaration: Omit<ProjectDeclarationInput, 'apiVersion'>,
    environmentClassId: string,
  ) => {
    const { projectId } = await client.apply({ apiVersion: 'hearth/v1', ...declaration })
    return (await client.environments.create({ spec: { projectId, environmentClassId } })).metadata.id
  }
  // An address of the guest itself on which nothing listens: packets to it never leave the guest.
  const nowhere = 'git://127.0.0.1:9418/shop.git'
  const setup = ['echo "about to fail"; echo "last words" >&2; exit 3', 'echo "never comes"']
  failing.set('mute', await create({ name: 'mute' }, mute.metadata.id))
  failing.set('clone', await create({ name: 'clone', repositories: [{ url: nowhere }] }, guest.metadata.id))
  failing.set('command', await create({ name: 'command', setup }, guest.metadata.id))
})

afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

describe('an environment is failed, with the step, the cause and the last lines,', () => {
  it('when its guest never answers', async () => {
    const { status } = await failed('mute')
    expect(status.summary).toMatchObject({ success: false, failedStep: 'ensure_server' })
    expect(status.failure).toMatchObject({
      code: 'guest_unreachable',
      step: 'ensure_server',
      message: expect.stringContaining(`the guest did not answer SSH within ${muteSeconds} s`),
    })
    // Lines of the kernel, each with the time since its start.
    expect(status.failure?.lastLines?.at(-1)).toMatch(/^\[ *\d+\.\d{6}\] /)
    expect(phases(status)).toEqual(['create_vm succeeded', 'ensure_server failed', 'project_setup skipped'])
  })

  it('when a repository cannot be cloned', async () => {
    const { status } = await failed('clone')
    expect(status.failure).toMatchObject({ code: 'clone_failed', step: 'clone_repo' })
    expect(status.failure?.message).toMatch(/^clone_repo\.shop: "git clone git:.*" exited with 128$/)
    expect(status.failure?.lastLines?.join('\n')).toContain('Connection refused')
    expect(status.steps.find(({ name }) => name === 'clone_repo')).toMatchObject({
      phase: 'failed',
      exitCode: 128,
    })
    expect(status.steps.find(({ name }) => name === 'init_repo')).toMatchObject({ phase: 'pending' })
  })

  it('when a command of its set-up exits with 3', async () => {
    const { status } = await failed('command')
    expect(status.failure).toMatchObject({ code: 'command_failed', step: 'project_setup' })
    expect(status.failure?.message).toContain('exited with 3')
    expect(status.failure?.lastLines?.slice(-2)).toEqual(['about to fail', 'last words'])
    const step = status.steps.find(({ name }) => name === 'project_setup')
    expect(step).toMatchObject({ phase: 'failed', exitCode: 3 })
    expect(step?.output).not.toContain('never comes')
  })

  it('and no process runs without an environment, nor any once they are deleted', async () => {
    const ids = [...failing.values()]
    expect((await domains()).sort()).toEqual(ids.map((id) => `hearth-${id}`).sort())
    for (const id of ids) await host.client.environments.delete(id)
    for (const id of ids) await untilDeleted(host.client, id)
    expect(await domains()).toEqual([])
    for (const { environmentsFolder } of agents) {
      expect(readdirSync(environmentsFolder)).toEqual([])
      expect(processesWith(environmentsFolder)).toEqual([])
    }
  })

  const failed = (which: 'clone' | 'command' | 'mute'): Promise<Environment> =>
    untilProvisioned(host.client, failing.get(which) ?? '')
  const phases = ({ steps }: Environment['status']) =>
    steps
      .filter(({ name }) => ['create_vm', 'ensure_server', 'project_setup'].includes(name))
      .map(({ name, phase }) => `${name} ${phase}`)
  const domains = () => domainsOf(agents.map(({ runner }) => runner.metadata.id))
})
