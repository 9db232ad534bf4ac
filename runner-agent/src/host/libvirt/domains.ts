import { setTimeout as delay } from 'node:timers/promises'
import { isId } from '@hearth/foundation'
import { HostError } from '../host-error.ts'
import type { Ownership, PausedMachine } from '../machine.ts'
import { type DomainState, parseDomainState } from './domain-state.ts'
import { buildOwnershipXml, parseOwnershipXml } from './domain-xml.ts'
import { metadataNamespace } from './metadata.ts'
import type { Virsh } from './virsh.ts'

const domainPrefix = 'hearth-'

export function domainName(environmentId: string): string {
  return `${domainPrefix}${environmentId}`
}

/** The environment's id in a domain's name; null for a domain that is not of Hearth. */
export function environmentIdOf(name: string): string | null {
  if (!name.startsWith(domainPrefix)) return null
  const id = name.slice(domainPrefix.length)
  return isId(id) ? id : null
}

export interface SeenDomain extends DomainState {
  environmentId: string
  ownership: Ownership | null
}

/** Hearth's domains in one libvirt, each named after its environment. */
export class Domains {
  constructor(private readonly virsh: Virsh) {}

  /** Ids of the environments that have a domain, of any owner. */
  async list(): Promise<string[]> {
    return idsIn(await this.virsh.run('list', '--all', '--name'))
  }

  /** State of each domain, as libvirt names it. */
  async states(): Promise<Map<string, string>> {
    const flags = ['running', 'paused', 'shutoff', 'other']
    const answers = await this.virsh.batch(flags.map((state) => `list --all --name --state-${state}`))
    return new Map(
      flags.flatMap((state, index) => idsIn(answers[index] ?? '').map((id): [string, string] => [id, state])),
    )
  }

  /** The paused domains and the reason of each pause. */
  async paused(): Promise<PausedMachine[]> {
    const ids = idsIn(await this.virsh.run('list', '--name', '--state-paused', '--state-other'))
    const seen = ids.length === 0 ? [] : await this.look(ids)
    return seen.flatMap(({ environmentId, pauseReason }) =>
      pauseReason === null ? [] : [{ environmentId, reason: pauseReason }],
    )
  }

  followEvents(line: (text: string) => void, signal: AbortSignal): Promise<void> {
    return this.virsh.followEvents(line, signal)
  }

  async look(ids: readonly string[]): Promise<SeenDomain[]> {
    const commands = ids.flatMap((id) => [
      `domstate --reason ${domainName(id)}`,
      `metadata ${domainName(id)} ${metadataNamespace}`,
    ])
    const answers = await this.virsh.batch(commands)
    return ids.map((environmentId, index) => ({
      environmentId,
      ...parseDomainState(answers[2 * index] ?? ''),
      ownership: parseOwnershipXml(answers[2 * index + 1] ?? ''),
    }))
  }

  /** Resolves with libvirt's message when it refuses, with null when the domain runs. */
  async start(environmentId: string): Promise<string | null> {
    const { error } = await this.virsh.try('start', domainName(environmentId))
    return error === null || /already active/.test(error) ? null : error
  }

  /** Starts a domain by a definition that is not kept. Resolves with libvirt's message when it refuses. */
  async create(path: string): Promise<string | null> {
    return (await this.virsh.try('create', path)).error
  }

  /**
   * Waits until QEMU has loaded a memory and lets the guest go on. Resolves with QEMU's own word for its state; null
   * where QEMU has ended.
   */
  async goOnFromMemory(environmentId: string): Promise<string | null> {
    const ask = (command: string) =>
      this.virsh.try('qemu-monitor-command', domainName(environmentId), `{"execute":"${command}"}`)
    for (let attempt = 0; ; attempt += 1) {
      const { output, error } = await ask('query-status')
      if (error !== null) return null
      const status = /"status":"([a-z-]+)"/.exec(output)?.[1] ?? 'in an unknown state'
      if (!loading.has(status) || attempt === loadingAttempts) return status
      // A guest stands still as it did when its memory was kept, and libvirt believes that it runs.
      if (status === 'paused') await ask('cont')
      else await delay(loadingMilliseconds)
    }
  }

  /** Writes the memory to a file and ends the domain. Resolves with libvirt's message when it refuses. */
  async save(environmentId: string, path: string, milliseconds: number): Promise<string | null> {
    return (await this.virsh.tryFor(milliseconds, 'save', domainName(environmentId), path)).error
  }

  /** Loads a memory into the domain, which then stands still. Resolves with libvirt's message when it refuses. */
  async restore(path: string, definition: string, milliseconds: number): Promise<string | null> {
    const command = ['restore', path, '--xml', definition, '--paused'] as const
    return (await this.virsh.tryFor(milliseconds, ...command)).error
  }

  /** The definition of the domain whose memory is in the file. Resolves with libvirt's message when it cannot be read. */
  savedDefinition(path: string): Promise<{ output: string; error: string | null }> {
    return this.virsh.try('save-image-dumpxml', path, '--security-info')
  }

  /** The definition with which the domain starts the next time. */
  lastingDefinition(environmentId: string): Promise<string> {
    return this.virsh.run('dumpxml', '--inactive', '--security-info', domainName(environmentId))
  }

  async resume(environmentId: string): Promise<void> {
    const { error } = await this.virsh.try('resume', domainName(environmentId))
    if (error !== null && !/already running|not paused/i.test(error)) {
      throw new HostError('host_refused', `the machine does not go on: ${error}`)
    }
  }

  async shutDown(environmentId: string): Promise<void> {
    const { error } = await this.virsh.try('shutdown', domainName(environmentId), '--mode', 'acpi')
    if (error !== null && !/not running/.test(error)) throw new HostError('host_refused', error)
  }

  async destroy(environmentId: string): Promise<void> {
    const { error } = await this.virsh.try('destroy', domainName(environmentId))
    if (error !== null && !/not running/.test(error)) throw new HostError('host_refused', error)
  }

  async define(path: string): Promise<void> {
    await this.virsh.run('define', path)
  }

  async undefine(environmentId: string): Promise<void> {
    const { error } = await this.virsh.try(
      'undefine',
      domainName(environmentId),
      '--managed-save',
      '--nvram',
      '--snapshots-metadata',
      '--checkpoints-metadata',
    )
    if (error !== null && !/failed to get domain/.test(error)) throw new HostError('host_refused', error)
  }

  async setOwnership(environmentId: string, ownership: Ownership, flags: string[]): Promise<void> {
    const set = ['--uri', metadataNamespace, '--key', 'hearth', '--set', buildOwnershipXml(ownership)]
    await this.virsh.run('metadata', domainName(environmentId), ...flags, ...set)
  }
}

/** States of a QEMU that is about to go on. */
const loading = new Set(['inmigrate', 'paused', 'prelaunch'])
const loadingMilliseconds = 50
const loadingAttempts = 200

function idsIn(names: string): string[] {
  return names.split('\n').flatMap((name) => environmentIdOf(name) ?? [])
}
