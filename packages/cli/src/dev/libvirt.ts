import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { HearthError } from '@hearth/foundation'
import { end } from '../process/end.ts'
import { identityOf } from '../process/identity.ts'
import { lastLines } from '../process/last-lines.ts'
import { run } from '../process/run.ts'
import type { ProcessRecord } from './process-record.ts'

type Variables = Readonly<Record<string, string | undefined>>

export interface LibvirtOptions {
  uri: string
  isRoot: boolean
  variables: Variables
  logs: string
  record: ProcessRecord
  note(text: string): void
}

/** virtlogd starts first: libvirtd passes it the consoles of its guests. */
export const libvirtDaemons = ['virtlogd', 'libvirtd'] as const

export function libvirtUri(variables: Variables, isRoot: boolean): string {
  return variables.HEARTH_LIBVIRT_URI ?? (isRoot ? 'qemu:///system' : 'qemu:///session')
}

/** Whether libvirt answers at this URI. Throws `unavailable` when virsh is not installed. */
export async function libvirtAnswers(uri: string, variables: Variables): Promise<boolean> {
  const asked = await run('virsh', ['-q', '-c', uri, 'version'], {
    environment: variables,
    timeoutMilliseconds: 20_000,
  }).catch((cause: unknown) => {
    throw new HearthError(
      'unavailable',
      'libvirt is not installed: apt-get install libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 (or try `--synthetic`, which needs none)',
      { cause },
    )
  })
  return asked.exitCode === 0
}

/**
 * Starts libvirt: through systemd where the host runs it, otherwise its daemons as child processes. Returns a
 * function that stops the daemons started here, or null when there is nothing to stop.
 */
export async function ensureLibvirt(options: LibvirtOptions): Promise<(() => Promise<void>) | null> {
  const { uri, isRoot, variables, record, note } = options
  const ours = libvirtDaemons.filter((name) => record.living(name) !== null)
  if (await libvirtAnswers(uri, variables)) return ours.length === 0 ? null : () => stopDaemons(options)
  if (!isRoot) throw refused(uri, 'it does not answer; as a plain user, qemu:///session starts by itself')
  if (existsSync('/run/systemd/system')) {
    note('starting libvirtd (systemctl start libvirtd)')
    const started = await run('systemctl', ['start', 'libvirtd'], { environment: variables })
    if (started.exitCode !== 0) throw refused(uri, started.stderr.trim())
    await untilAnswering(options)
    return null
  }
  for (const name of libvirtDaemons) startDaemon(name, options)
  await untilAnswering(options)
  return () => stopDaemons(options)
}

function startDaemon(
  name: (typeof libvirtDaemons)[number],
  { variables, logs, record, note }: LibvirtOptions,
): void {
  if (record.living(name) !== null) return
  const log = openSync(join(logs, `${name}.log`), 'a', 0o640)
  const path = `${variables.PATH ?? ''}:/usr/sbin:/sbin`
  const child = spawn(name, [], {
    env: { ...variables, PATH: path },
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  child.once('error', (error) => note(`${name} could not be started: ${error.message}`))
  child.unref()
  const identity = child.pid === undefined ? null : identityOf(child.pid)
  if (identity === null) return
  record.add(name, identity)
  note(`started ${name} (process id ${identity.pid}): no systemd runs this machine`)
}

async function untilAnswering({ uri, variables, logs, record }: LibvirtOptions): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await libvirtAnswers(uri, variables))) {
    const gone = libvirtDaemons.some((name) => record.living(name) === null)
    if (performance.now() > deadline || (gone && !existsSync('/run/systemd/system'))) {
      throw refused(uri, `its log ends with:\n${lastLines(join(logs, 'libvirtd.log'))}`)
    }
    await pause(100)
  }
}

/** Leaves the daemons running while machines run: a guest would otherwise lose its console and its manager. */
async function stopDaemons({ uri, variables, record, note }: LibvirtOptions): Promise<void> {
  const listed = await run('virsh', ['-q', '-c', uri, 'list', '--name'], {
    environment: variables,
    timeoutMilliseconds: 20_000,
  })
  const running = listed.stdout.split('\n').filter((name) => name.trim() !== '')
  if (running.length > 0) {
    note(`libvirtd and virtlogd go on: ${running.length} machines still run`)
    return
  }
  for (const name of [...libvirtDaemons].reverse()) {
    const identity = record.living(name)
    if (identity !== null) await end(identity, 10_000)
    record.remove(name)
  }
}

function refused(uri: string, why: string): HearthError {
  return new HearthError('unavailable', `libvirt at ${uri} cannot be used: ${why}`)
}
