import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writePrivateFile } from '../private-file.ts'
import { end } from '../process/end.ts'
import { isAlive, type ProcessIdentity } from '../process/identity.ts'

const recordSchema = z.record(z.string(), z.object({ pid: z.int().positive(), startTime: z.string() }))

/** The processes started for a state folder: it finds what is still running after a crash. */
export class ProcessRecord {
  readonly #path: string
  readonly #processes: Map<string, ProcessIdentity>

  constructor(stateFolder: string) {
    this.#path = join(stateFolder, 'processes.json')
    this.#processes = new Map(Object.entries(readRecord(this.#path)))
  }

  add(name: string, identity: ProcessIdentity): void {
    this.#processes.set(name, identity)
    this.#write()
  }

  /** The process recorded under this name, if it is still running. */
  living(name: string): ProcessIdentity | null {
    const identity = this.#processes.get(name)
    return identity !== undefined && isAlive(identity) ? identity : null
  }

  remove(name: string): void {
    if (this.#processes.delete(name)) this.#write()
  }

  /** Ends the processes that an earlier run left running, except the names to keep; returns the ended names. */
  async endLeftovers(keep: readonly string[]): Promise<string[]> {
    const leftovers = [...this.#processes].filter(([name]) => !keep.includes(name))
    const living = leftovers.filter(([, identity]) => isAlive(identity))
    await Promise.all(living.map(([, identity]) => end(identity, 20_000)))
    for (const [name] of leftovers) this.#processes.delete(name)
    this.#write()
    return living.map(([name]) => name)
  }

  #write(): void {
    if (this.#processes.size === 0) rmSync(this.#path, { force: true })
    else writePrivateFile(this.#path, `${JSON.stringify(Object.fromEntries(this.#processes), null, 2)}\n`)
  }
}

function readRecord(path: string): Record<string, ProcessIdentity> {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return {}
  }
}
