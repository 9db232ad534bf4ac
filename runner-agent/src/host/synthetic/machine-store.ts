import { join } from 'node:path'
import { addressSchema } from '@hearth/contract'
import { isId } from '@hearth/foundation'
import { z } from 'zod'
import { LocalCommandRunner } from '../command/local.ts'

const storedMachineSchema = z.object({
  power: z.enum(['shut_off', 'running', 'crashed']),
  /** Milliseconds since 1970 at which its guest answers. */
  answersAt: z.number(),
  ownership: z.object({
    owner: z.string(),
    environmentId: z.string(),
    epoch: z.number(),
    generation: z.number(),
    createdAt: z.string(),
  }),
  address: addressSchema,
  identity: z.object({ machineId: z.string(), hostname: z.string(), randomSeedDigest: z.string() }),
})
export type StoredMachine = z.infer<typeof storedMachineSchema>

/** Synthetic machines as files, one folder each, so that they outlive the process as real ones do. */
export class MachineStore {
  private readonly files = new LocalCommandRunner()

  constructor(private readonly folder: string) {}

  async list(): Promise<string[]> {
    return (await this.files.list(this.folder)).filter(isId)
  }

  async read(environmentId: string): Promise<StoredMachine | null> {
    const text = await this.readText(environmentId, 'machine.json')
    return text === null ? null : storedMachineSchema.parse(JSON.parse(text))
  }

  write(environmentId: string, machine: StoredMachine): Promise<void> {
    return this.writeText(environmentId, 'machine.json', JSON.stringify(machine))
  }

  async readText(environmentId: string, name: string): Promise<string | null> {
    return (await this.files.readFile(this.path(environmentId, name)))?.toString('utf8') ?? null
  }

  writeText(environmentId: string, name: string, text: string): Promise<void> {
    return this.files.writeFile(this.path(environmentId, name), text, 0o600)
  }

  remove(environmentId: string): Promise<void> {
    return this.files.remove(this.path(environmentId))
  }

  private path(environmentId: string, ...name: string[]): string {
    if (!isId(environmentId)) throw new Error(`not an environment's id: ${environmentId}`)
    return join(this.folder, environmentId, ...name)
  }
}
