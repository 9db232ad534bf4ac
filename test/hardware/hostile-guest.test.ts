import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Failure, ProjectDeclarationInput } from '@hearth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { type KeyPair, newKeyPair, secureShell } from './secure-shell.ts'
import { untilEnvironment, untilProvisioned } from './waiting.ts'

/** How much more hostile guests together may cost their agent than a well-behaved guest. */
const mostMebibytes = 50
/** Time limit of commands that never end; an agent that is told of the end reacts much faster. */
const timeoutSeconds = 20
const toldMilliseconds = 20_000

type Setup = NonNullable<ProjectDeclarationInput['setup']>

/** What root in a guest does during set-up, and the failure that must follow; one environment for each. */
const inputs: [name: string, setup: Setup, failure: Partial<Record<keyof Failure, unknown>>][] = [
  [
    'fills its disk, and fails',
    [
      'fallocate -l $(df --output=avail -B1 / | tail -1) /fill; dd if=/dev/zero of=/fill2 bs=4k; exit 1',
      'echo "never comes"',
    ],
    { code: 'command_failed', message: expect.stringContaining('exited with 1') },
  ],
  [
    'powers itself off',
    ['poweroff; sleep 3600'],
    { code: 'guest_unreachable', message: 'the guest powered itself off during project_setup' },
  ],
  [
    'makes its kernel panic',
    ['echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; sleep 3600'],
    { code: 'guest_unreachable', message: 'the guest’s kernel panicked during project_setup' },
  ],
  [
    'writes without end',
    [{ name: 'endless', command: 'yes "$(seq 1 500 | tr "\\n" " ")"', timeoutSeconds }],
    { code: 'deadline_passed', message: expect.stringContaining(`after ${timeoutSeconds} s`) },
  ],
  [
    'is a fork bomb',
    [{ name: 'bomb', command: 'bomb() { bomb | bomb & }; bomb; sleep 3600', timeoutSeconds }],
    { code: expect.stringMatching(/^(deadline_passed|guest_unreachable)$/) },
  ],
]

let host: HardwareHost
let agent: HardwareAgent
let keys: KeyPair
let environmentClassId: string

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  keys = await newKeyPair(join(host.folder, 'keys'), 'member')
  agent = await host.startAgent('hostile', {
    HEARTH_STEP_DEADLINE_SECONDS: 'project_setup:180',
  })
  environmentClassId = (await createGuestClass(host.client, 'guest', 'debian-12')).metadata.id
})

afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

async function create(name: string, setup: Setup): Promise<string> {
  const { projectId } = await host.client.apply({ apiVersion: 'hearth/v1', name, setup })
  return (await host.client.environments.create({ spec: { projectId, environmentClassId } })).metadata.id
}

describe('a machine', () => {
  it('is set up, and starts again after a crash, whatever the shell and profile of its root', async () => {
    const id = await create('other-shell', [
      'usermod -s /bin/dash root; printf "echo noise; exec dash\\n" | tee /root/.bashrc /root/.profile >/root/.bash_profile',
      'echo "in $BASH"',
      'seq 1 200000 >/home/kept',
    ])
    const { status } = await untilProvisioned(host.client, id)
    expect(status).toMatchObject({ phase: 'running', failure: null })
    expect(status.steps.find(({ name }) => name === 'project_setup')?.output).toMatch(/^in .*bash$/m)

    // Right after its set-up: what the set-up wrote must be on the disk already.
    const pid = Number(await readFile(`/run/libvirt/qemu/hearth-${id}.pid`, 'utf8'))
    const killed = Date.now()
    process.kill(pid, 'SIGKILL')
    const found = await untilEnvironment(
      host.client,
      id,
      (environment) => environment.status.restarts !== null,
    )
    expect(Date.now() - killed).toBeLessThan(toldMilliseconds)
    expect(found.status.restarts).toMatchObject({ count: 1, cause: 'QEMU was killed or crashed on the host' })

    const again = await untilEnvironment(
      host.client,
      id,
      (environment) => environment.status.phase === 'running' && environment.status.identity !== null,
    )
    expect(again.status).toMatchObject({ failure: null, address: status.address, restarts: { count: 1 } })
    expect(again.status.identity?.hostKeyMatches).toBe(true)
    const { address, certificate } = await host.client.environments.certificate(id, keys.publicKey)
    const { stdout } = await secureShell(address, { keyPath: keys.path, certificate }, 'tail -n 1 /home/kept')
    expect(stdout.trim().split('\n').at(-1)).toBe('200000')
    await host.client.environments.delete(id)
  })
})

describe('hostile guests', () => {
  let neighbour: string
  const made = new Map<string, string>()
  let before: number

  beforeAll(async () => {
    neighbour = await create('neighbour', ['echo well'])
    expect((await untilProvisioned(host.client, neighbour)).status.phase).toBe('running')
    before = await memory('VmRSS')
    // The maximum is measured from here on.
    await writeFile(`/proc/${agent.process.pid}/clear_refs`, '5')
    for (const [index, [name, setup]] of inputs.entries())
      made.set(name, await create(`hostile-${index}`, setup))
  })

  it.each(inputs)('one that %s fails with its cause', async (name, _, failure) => {
    const { status } = await untilProvisioned(host.client, made.get(name) ?? '')
    expect(status).toMatchObject({ phase: 'failed', failure: { step: 'project_setup', ...failure } })
    expect(JSON.stringify(status.steps)).not.toContain('never comes')
  })

  it('cost their agent little, and other guests nothing', async () => {
    expect((await memory('VmHWM')) - before).toBeLessThan(mostMebibytes)
    const { status } = await host.client.environments.get(neighbour)
    expect(status).toMatchObject({ phase: 'running', unreachable: false, failure: null })
    const { items } = await host.client.events.list({ after: 0, limit: 1000 })
    // A runner that misses its heartbeats is offline, and its machines are unreachable.
    const missed = /"unreachable":true|"phase":"offline"/
    expect(items.length).toBeGreaterThan(inputs.length)
    expect(items.filter(({ resource }) => missed.test(JSON.stringify(resource)))).toEqual([])
    expect((await host.client.runners.get('hostile')).status.phase).toBe('active')
  })

  it('are deleted like any other', async () => {
    const ids = [neighbour, ...made.values()]
    for (const id of ids) await host.client.environments.delete(id)
    for (const id of ids) await untilEnvironment(host.client, id, ({ status }) => status.phase === 'deleted')
  })
})

/** The agent's memory in MiB: in use now, or the maximum so far. */
async function memory(which: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${agent.process.pid}/status`, 'utf8')
  return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
}
