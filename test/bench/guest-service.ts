import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Runner } from '@hearth/contract'
import { newRunFolder } from '../hardware/host.ts'
import { type ImageName, offerImage } from '../hardware/images.ts'
import { removeRun } from '../hardware/leftovers.ts'
import { guestSize } from './bare-guest.ts'
import { type Service, startService } from './service.ts'

/** The shipped programs with real guests on this machine. */
export interface GuestService extends AsyncDisposable {
  service: Service
  agent: ChildProcess
  runner: Runner
  /** A folder that QEMU's own user can enter. */
  folder: string
  /** The agent's own key, which guests accept. */
  agentKeyPath: string
  environmentClassId: string
}

/**
 * `room` is the number of guests of the measured size that the host reports capacity for; `settings` are further
 * settings of the agent.
 */
export async function startGuestService(
  room: number,
  settings: Readonly<Record<string, string>> = {},
  image: ImageName = 'debian-12',
): Promise<GuestService> {
  const service = await startService()
  return start(service, room, settings, image).catch(async (error: unknown) => {
    await service[Symbol.asyncDispose]()
    throw error
  })
}

async function start(
  service: Service,
  room: number,
  settings: Readonly<Record<string, string>>,
  image: ImageName,
): Promise<GuestService> {
  const folder = await newRunFolder()
  const images = join(folder, 'images')
  await offerImage(images, image)
  const agent = await service.startAgent('guests', {
    HEARTH_IMAGES: images,
    HEARTH_HOST_STATE: folder,
    HEARTH_VIRTUALIZATION: 'qemu',
    HEARTH_CAPACITY_MEMORY_MEBIBYTES: String(room * guestSize.memoryMebibytes),
    HEARTH_CAPACITY_VIRTUAL_CPUS: String(room * guestSize.virtualCpus),
    ...settings,
  })
  const runner = await service.client.runners.get('guests')
  const { metadata } = await service.client.environmentClasses.create({
    name: 'measured',
    labels: {},
    spec: { ...guestSize, image },
  })
  return {
    service,
    agent,
    runner,
    folder,
    agentKeyPath: join(service.folder, 'guests', 'ssh_key'),
    environmentClassId: metadata.id,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await removeRun(folder, [runner.metadata.id])
    },
  }
}
