import { libvirtUri } from '../../dev/libvirt.ts'
import { run } from '../../process/run.ts'
import type { Check, Finding } from '../finding.ts'

const check = 'paused machines'

export interface PausedDomain {
  name: string
  /** State in the words of `virsh domstate --reason`. */
  state: string
}

export const pausedCheck: Check = {
  name: check,
  async examine({ variables, isRoot }) {
    const virsh = ['-q', '-c', libvirtUri(variables, isRoot)]
    const options = { environment: variables, timeoutMilliseconds: 20_000 }
    const listed = await run('virsh', [...virsh, 'list', '--state-paused', '--name'], options).catch(
      () => null,
    )
    if (listed?.exitCode !== 0) return []
    const names = listed.stdout.split('\n').filter((name) => name.startsWith('hearth-'))
    const domains = await Promise.all(
      names.map(async (name) => {
        const { stdout } = await run('virsh', [...virsh, 'domstate', '--reason', name], options)
        return { name, state: stdout.trim() }
      }),
    )
    return [judgePaused(domains)]
  },
}

export function judgePaused(domains: readonly PausedDomain[]): Finding {
  if (domains.length === 0) return { check, level: 'ok', message: 'no machine stands still' }
  const list = domains.map(({ name, state }) => `${name} (${/\((.*)\)/.exec(state)?.[1] ?? state})`)
  return {
    check,
    level: 'warning',
    message: `the guests of these machines stand still, so that no claim gets them: ${list.join(', ')}`,
    remedy: 'I/O error: free disk space, then they go on by themselves; others: virsh resume NAME',
  }
}
