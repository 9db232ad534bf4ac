import type { MachineStore } from './machine-store.ts'

/** Is there while somebody is connected to the machine. */
const connectedFile = 'connected'

/** Whether somebody is connected to each of these machines; those that are not there are left out. */
export async function connectedMachines(
  store: MachineStore,
  environmentIds: readonly string[],
): Promise<Map<string, boolean | null>> {
  const seen = await Promise.all(
    environmentIds.map(async (id) => {
      const machine = await store.read(id)
      if (machine === null) return []
      const connected = await store.readText(id, connectedFile)
      return [[id, machine.power === 'running' && connected !== null] as const]
    }),
  )
  return new Map(seen.flat())
}

export async function setConnected(
  store: MachineStore,
  environmentId: string,
  isConnected: boolean,
): Promise<void> {
  if (isConnected) await store.writeText(environmentId, connectedFile, '')
  else await store.removeFile(environmentId, connectedFile)
}
