import { attempt, run } from './command.ts'

export const virshUri = process.getuid?.() === 0 ? 'qemu:///system' : 'qemu:///session'
const prefix = 'hearth-'
const metadataNamespace = 'https://hearth.dev/domain/1'

export function virsh(...command: [string, ...string[]]): Promise<string> {
  return run(['virsh', '-q', '-c', virshUri, ...command])
}

/** Names of the domains that, by their metadata, belong to one of these runners. */
export async function domainsOf(runnerIds: readonly string[]): Promise<string[]> {
  const names = (await virsh('list', '--all', '--name')).split('\n').filter((name) => name.startsWith(prefix))
  const owners = await Promise.all(names.map(ownerOf))
  return names.filter((_, index) => runnerIds.includes(owners[index] ?? ''))
}

/** Ends and removes the remaining machines of these runners; no other domain is touched. */
export async function removeDomainsOf(runnerIds: readonly string[]): Promise<void> {
  for (const name of await domainsOf(runnerIds)) {
    // It may be shut off already, or disappear at this moment.
    await attempt(['virsh', '-q', '-c', virshUri, 'destroy', name])
    await attempt(['virsh', '-q', '-c', virshUri, 'undefine', name])
  }
}

async function ownerOf(name: string): Promise<string | null> {
  const { stdout } = await attempt(['virsh', '-q', '-c', virshUri, 'metadata', name, metadataNamespace])
  return /\bowner=["']([^"']+)["']/.exec(stdout)?.[1] ?? null
}
