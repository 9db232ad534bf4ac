import { join } from 'node:path'
import { addressSchema, pauseReasonSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { z } from 'zod'
import { LocalCommandRunner } from '../command/local.ts'
import { OwnedFolders } from '../command/owned-folders.ts'
import { type GuestFiles, isGuestFile } from './guest-files.ts'

const storedMachineSchema = z.object({
  /** `absent` while only the folder exists. */
  power: z.enum(['absent', 'shut_off', 'running', 'paused', 'suspended', 'crashed']),
  endReason: z
    .enum(['guest_shut_down', 'ended_on_host', 'kernel_panicked', 'hypervisor_gone', 'unknown'])
    .nullable()
    .default(null),
  pauseReason: pauseReasonSchema.nullable().default(null),
  /** Time from which the guest answers, in milliseconds since 1970. */
  answersAt: z.number(),
  /** When it last went down, in milliseconds since 1970. */
  wentDownAt: z.number().nullable().default(null),
  ownership: z.object({
    owner: z.string(),
    environmentId: z.string(),
    epoch: z.number(),
    generation: z.number(),
    createdAt: z.string(),
  }),
  address: addressSchema.nullable(),
  identity: z
    .object({ machineId: z.string(), hostname: z.string(), randomSeedDigest: z.string() })
    .nullable(),
  /** What the machine was made with; null in machines that earlier agents made. */
  specification: z
    .object({
      image: z.string(),
      virtualCpus: z.number(),
      memoryMebibytes: z.number(),
      diskGibibytes: z.number(),
    })
    .nullable()
    .default(null),
  disk: z
    .object({
      /** The layer that the disk stands on; null for one that stands on the image. */
      layerId: z.string().nullable(),
      /** Bytes of the disk itself. */
      writtenBytes: z.number(),
      /** `fresh` until the first start. */
      state: z.enum(['fresh', 'ran']),
    })
    .default({ layerId: null, writtenBytes: 0, state: 'ran' }),
  /** Who the guest thinks it is, where that is not the machine: it went on from another one's memory. */
  guest: z
    .object({
      machineId: z.string(),
      hostname: z.string(),
      randomSeedDigest: z.string(),
      hostKey: z.string(),
    })
    .nullable()
    .default(null),
})
export type StoredMachine = z.infer<typeof storedMachineSchema>

const machineFile = 'machine.json'

/** Synthetic machines as files, one folder each, so that they survive the process as real machines do. */
export class MachineStore {
  private readonly files = new LocalCommandRunner()
  private readonly folders: OwnedFolders

  private readonly bootFile: string

  constructor(folder: string, owner: string) {
    this.bootFile = join(folder, '.boot')
    this.folders = new OwnedFolders(this.files, folder, owner)
  }

  /** Where the machine's own things are. */
  folderOf(environmentId: string): string {
    return this.folders.path(environmentId)
  }

  list(): Promise<{ folders: string[]; leftovers: string[] }> {
    return this.folders.list()
  }

  /** Null where there is no folder, or where the folder does not name its owner. */
  async read(environmentId: string): Promise<StoredMachine | null> {
    const text = await this.readText(environmentId, machineFile)
    if (text === null) return null
    try {
      return storedMachineSchema.parse(JSON.parse(text))
    } catch {
      return null
    }
  }

  /** Creates the machine's folder. Rejects when a folder that is not empty already exists. */
  open(environmentId: string, machine: StoredMachine): Promise<void> {
    return this.folders.open(environmentId, machineFile, JSON.stringify(machine))
  }

  write(environmentId: string, machine: StoredMachine): Promise<void> {
    return this.writeText(environmentId, machineFile, JSON.stringify(machine))
  }

  async readText(environmentId: string, name: string): Promise<string | null> {
    return (await this.files.readFile(join(this.folders.path(environmentId), name)))?.toString('utf8') ?? null
  }

  writeText(environmentId: string, name: string, text: string): Promise<void> {
    return this.files.writeFile(join(this.folders.path(environmentId), name), text, 0o600)
  }

  async guestFileNames(environmentId: string): Promise<string[]> {
    return (await this.files.list(this.folders.path(environmentId))).filter(isGuestFile)
  }

  async readGuestFiles(environmentId: string): Promise<GuestFiles> {
    const names = await this.guestFileNames(environmentId)
    const texts = await Promise.all(
      names.map(async (name) => [name, (await this.readText(environmentId, name)) ?? ''] as const),
    )
    return Object.fromEntries(texts)
  }

  /** What the guest had before is gone. */
  async replaceGuestFiles(environmentId: string, files: GuestFiles): Promise<void> {
    for (const name of Object.keys(await this.readGuestFiles(environmentId))) {
      if (!Object.hasOwn(files, name)) await this.removeFile(environmentId, name)
    }
    for (const [name, text] of Object.entries(files)) await this.writeText(environmentId, name, text)
  }

  removeFile(environmentId: string, name: string): Promise<void> {
    return this.files.remove(join(this.folders.path(environmentId), name))
  }

  /** Id of the synthetic host's current boot. */
  async bootId(): Promise<string> {
    return (await this.files.readFile(this.bootFile))?.toString('utf8') ?? 'first'
  }

  async newBoot(): Promise<void> {
    await this.files.writeFile(this.bootFile, newId(), 0o600)
  }

  /** Removes the folder, which was proved to belong to the owner. */
  remove(environmentId: string): Promise<void> {
    return this.folders.remove(environmentId)
  }

  /** Removes what an interrupted operation left of a folder. */
  clear(environmentId: string): Promise<void> {
    return this.folders.clear(environmentId)
  }
}
