import { join } from 'node:path'
import type { Environment, StepStatus } from '@hearth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost, untilActive } from './host.ts'
import { offerImage } from './images.ts'
import { type KeyPair, newKeyPair, secureShell } from './secure-shell.ts'
import { untilDeleted, untilEnvironment, untilProvisioned } from './waiting.ts'

const bootMilliseconds = 180_000

let host: HardwareHost
let agent: HardwareAgent
let keys: KeyPair

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  keys = await newKeyPair(join(host.folder, 'keys'), 'owner')
  agent = await host.startAgent('killed')
})

afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

/** A step that records that it ran, then waits for its release through a pipe that nobody else knows. */
const gate = (name: string) => ({
  name,
  command: [
    `echo ${name} >>/home/ran`,
    `mkfifo /home/${name}`,
    `echo "${name} waits"`,
    `read -r _ </home/${name}`,
    `echo "${name} went on"`,
  ].join('\n'),
})

describe('an agent that is killed during project_setup', () => {
  let id: string
  let before: Environment

  it('leaves the step running in the guest', async () => {
    const { client } = host
    const { projectId } = await client.apply({
      apiVersion: 'hearth/v1',
      name: 'gated',
      setup: [gate('first'), gate('second')],
    })
    const guestClass = await createGuestClass(client, 'guest', 'debian-12')
    const created = await client.environments.create({
      spec: { projectId, environmentClassId: guestClass.metadata.id },
    })
    id = created.metadata.id
    await untilPrinted('first waits')
    before = await untilEnvironment(client, id, ({ status }) => stepOf(status.steps)?.phase === 'running')
    await agent.process.kill()
    expect(await inGuest('cat /home/ran; pgrep -c -f command-0')).toMatch(/^first\n[1-9]/)
  })

  it('finds it again after its restart, and follows it', async () => {
    const { epoch } = agent.runner.status
    const registered = await host.client.runners.get(agent.runner.metadata.id)
    expect(registered.status.epoch).toBeGreaterThan(epoch)
    await agent.process.start()
    await untilActive(host.client, agent.runner.metadata.name, registered.status.epoch)
    await inGuest('echo >/home/first')
    await untilPrinted('second waits')
    expect((await host.client.environments.get(id)).status.phase).toBe('provisioning')
  })

  it('takes over a step that ended while no agent ran', async () => {
    await agent.process.kill()
    await inGuest('echo >/home/second')
    await agent.process.start()
    const { status } = await untilProvisioned(host.client, id)
    expect(status.summary).toEqual({ success: true, failedStep: null, error: null })
    const lines = stepOf(status.steps)?.output.split('\n')
    expect(lines?.filter((line) => line !== '')).toEqual([
      ...['==> first', 'first waits', 'first went on'],
      ...['==> second', 'second waits', 'second went on'],
    ])
    expect(await inGuest('cat /home/ran')).toBe('first\nsecond\n')
  })

  it('keeps the machine and every start time', async () => {
    const { status } = await host.client.environments.get(id)
    const startTimes = (steps: readonly StepStatus[]) =>
      steps.filter(({ startedAt }) => startedAt !== null).map(({ name, startedAt }) => [name, startedAt])
    expect(startTimes(before.status.steps).map(([name]) => name)).toContain('project_setup')
    expect(startTimes(status.steps)).toEqual(startTimes(before.status.steps))
    expect(status.address).toEqual(before.status.address)
    expect(status.identity).toMatchObject({ machineId: before.status.identity?.machineId })
  })

  it('still deletes it', async () => {
    await host.client.environments.delete(id)
    await untilDeleted(host.client, id)
  })

  const stepOf = (steps: readonly StepStatus[]) => steps.find(({ name }) => name === 'project_setup')

  async function untilPrinted(text: string): Promise<void> {
    const signal = AbortSignal.timeout(bootMilliseconds)
    let printed = ''
    for await (const chunk of host.client.environments.logs(id, {
      step: 'project_setup',
      follow: true,
      signal,
    })) {
      printed += chunk.text
      if (printed.includes(text)) return
    }
    throw new Error(`"${text}" was not printed, but: ${printed}`)
  }

  async function inGuest(command: string): Promise<string> {
    const { address, certificate } = await host.client.environments.certificate(id, keys.publicKey)
    const { exitCode, stdout, stderr } = await secureShell(
      address,
      { keyPath: keys.path, certificate },
      command,
    )
    expect(exitCode, stderr).toBe(0)
    return stdout
  }
})
