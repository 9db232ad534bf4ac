import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { idSchema, routeAccessSchema } from '@hearth/contract'
import { isId } from '@hearth/foundation'
import { z } from 'zod'

/** What is stored of a route, beside whom it belongs to. It has no secret. */
const storedRouteSchema = z.object({
  owner: idSchema,
  epoch: z.number(),
  generation: z.number(),
  route: z.object({
    id: idSchema,
    host: z.string(),
    customDomain: z.string().nullable().default(null),
    environmentId: idSchema,
    machine: z.string(),
    port: z.number(),
    access: routeAccessSchema,
    ticketKey: z.string(),
    tokenDigest: z.string().nullable(),
    refusedTokens: z.array(idSchema),
  }),
})
export type StoredRoute = z.infer<typeof storedRouteSchema>

/** The routes of a host as files, so that the next agent serves them before it has heard of the control plane. */
export class RouteFiles {
  constructor(private readonly folder: string) {}

  async all(): Promise<StoredRoute[]> {
    const names = await readdir(this.folder).catch(() => [])
    const read = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => this.read(name.slice(0, -5))),
    )
    return read.filter((stored) => stored !== null)
  }

  /** Null where there is none, or none that says whose it is. */
  async read(id: string): Promise<StoredRoute | null> {
    const text = await readFile(this.path(id), 'utf8').catch(() => null)
    if (text === null) return null
    try {
      const parsed = storedRouteSchema.safeParse(JSON.parse(text))
      return parsed.success ? parsed.data : null
    } catch {
      return null
    }
  }

  async write(stored: StoredRoute): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    const path = this.path(stored.route.id)
    await writeFile(`${path}.new`, JSON.stringify(stored), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async remove(id: string): Promise<void> {
    await rm(this.path(id), { force: true })
  }

  private path(id: string): string {
    if (!isId(id)) throw new Error(`not the id of a route: ${id}`)
    return join(this.folder, `${id}.json`)
  }
}
