import type { Authority } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import type { OwnedFolders } from '../command/owned-folders.ts'
import type { Machine } from '../host.ts'
import { HostError } from '../host-error.ts'
import { type Domains, domainName } from './domains.ts'
import type { Machines } from './machines.ts'
import type { Ports } from './ports.ts'

export interface LifecycleOptions {
  runner: CommandRunner
  domains: Domains
  machines: Machines
  folders: OwnedFolders
  ports: Ports
}

/** Where the system's libvirt logs; a user's own keeps its logs in the user's cache. */
const systemLogs = '/var/log/libvirt/qemu'

/** Starts, ends and removes machines that are made. */
export class Lifecycle {
  constructor(private readonly options: LifecycleOptions) {}

  async start(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.options.machines.lookToTouch(environmentId, authority)
    if (machine.power === 'running' || machine.power === 'paused') return
    // One whose kernel panicked is kept as it was until somebody wants it to start again.
    if (machine.endReason === 'kernel_panicked') await this.destroy(environmentId, authority)
    for (let attempt = 0; ; attempt += 1) {
      await authority.assertHeld()
      const error = await this.options.domains.start(environmentId)
      if (error === null) return
      // Someone else took the port since it was chosen.
      if (!/host forwarding rule|Address already in use/i.test(error) || attempt >= 3) {
        throw new HostError('host_refused', `the machine does not start: ${error}`)
      }
      await this.moveToAnotherPort(environmentId)
    }
  }

  async shutDown(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.options.machines.lookToTouch(environmentId, authority)
    if (machine.power === 'paused') await this.resume(environmentId, authority)
    else if (machine.power !== 'running') return
    await authority.assertHeld()
    await this.options.domains.shutDown(environmentId)
  }

  async resume(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.options.machines.lookToTouch(environmentId, authority)
    if (machine.power !== 'paused') return
    await authority.assertHeld()
    await this.options.domains.resume(environmentId)
  }

  async powerOff(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.options.machines.lookToTouch(environmentId, authority)
    if (isActive(machine)) await this.destroy(environmentId, authority)
  }

  async remove(environmentId: string, authority: Authority): Promise<void> {
    const { runner, domains, folders, machines, ports } = this.options
    const machine = await machines.lookToTouch(environmentId, authority)
    if (isActive(machine)) await this.destroy(environmentId, authority)
    if (machine.power !== 'absent') {
      await authority.assertHeld()
      await domains.undefine(environmentId)
    }
    await authority.assertHeld()
    // A folder that neither itself nor a domain proves to be ours is left alone.
    if (machine.ownership === null) return folders.clear(environmentId)
    // libvirt keeps a log for every name it ever ran; ours are never used again.
    await runner.run(['rm', '-f', '--', `${systemLogs}/${domainName(environmentId)}.log`])
    await folders.remove(environmentId)
    ports.release(environmentId)
  }

  private async destroy(environmentId: string, authority: Authority): Promise<void> {
    await authority.assertHeld()
    await this.options.domains.destroy(environmentId)
  }

  private async moveToAnotherPort(environmentId: string): Promise<void> {
    const { runner, domains, machines, ports } = this.options
    const folder = machines.folder(environmentId)
    const [file, definition] = await Promise.all([folder.readMachine(), runner.readFile(folder.definition)])
    if (file?.given == null || definition === null) {
      throw new HostError('host_refused', 'the port is taken and the machine has no definition to change')
    }
    const port = await ports.choose(environmentId)
    const { address } = file.given
    const forward = (number: number) => `hostfwd=tcp:${address.host}:${number}-:22`
    const xml = definition.toString('utf8').replace(forward(address.port), forward(port))
    await folder.writeMachine({ ...file, given: { ...file.given, address: { ...address, port } } })
    await runner.writeFile(folder.definition, xml, 0o600)
    await domains.define(folder.definition)
    await domains.setOwnership(environmentId, file.ownership, ['--config'])
  }
}

/** Whether there is a QEMU to end. */
function isActive({ power, endReason }: Machine): boolean {
  return power === 'running' || power === 'paused' || endReason === 'kernel_panicked'
}
