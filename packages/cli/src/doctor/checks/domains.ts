import { libvirtUri } from '../../dev/libvirt.ts'
import { run } from '../../process/run.ts'
import { runnersBelow } from '../agents.ts'
import type { Check, Finding } from '../finding.ts'

const check = 'machines'
/** Namespace of the element in a domain's metadata that names the owner. */
const metadataNamespace = 'https://hearth.dev/domain/1'

export interface DomainFacts {
  name: string
  /** Id of the runner that created the domain; null when its metadata names none. */
  owner: string | null
}

export const domainsCheck: Check = {
  name: check,
  async examine({ stateFolder, variables, isRoot }) {
    const virsh = ['-q', '-c', libvirtUri(variables, isRoot)]
    const options = { environment: variables, timeoutMilliseconds: 20_000 }
    const listed = await run('virsh', [...virsh, 'list', '--all', '--name'], options).catch(() => null)
    if (listed?.exitCode !== 0) return []
    const names = listed.stdout.split('\n').filter((name) => name.startsWith('hearth-'))
    const domains = await Promise.all(
      names.map(async (name) => {
        const metadata = await run('virsh', [...virsh, 'metadata', name, metadataNamespace], options)
        return { name, owner: ownerOf(metadata.stdout) }
      }),
    )
    return [judgeDomains(domains, runnersBelow(stateFolder, variables).owners)]
  },
}

/** The runner named in a domain's metadata element, or null. */
export function ownerOf(metadata: string): string | null {
  return /\bowner=["']([^"']+)["']/.exec(metadata)?.[1] ?? null
}

export function judgeDomains(domains: readonly DomainFacts[], runners: readonly string[]): Finding {
  const foreign = domains.filter(({ owner }) => owner === null || !runners.includes(owner))
  if (foreign.length === 0) {
    return {
      check,
      level: 'ok',
      message: `${domains.length} machines of Hearth are here, all of this state folder`,
    }
  }
  const list = foreign.map(
    ({ name, owner }) => `${name} (${owner === null ? 'no owner' : `runner ${owner}`})`,
  )
  return {
    check,
    level: 'warning',
    message: `these machines look like Hearth's, but this state folder did not make them, so they are never touched: ${list.join(', ')}`,
    remedy: 'if no other Hearth runs them: virsh destroy NAME; virsh undefine NAME',
  }
}
