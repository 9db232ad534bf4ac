import { explanationSchema, listSchema } from '@hearth/contract'
import type { z } from 'zod'
import type { CallOptions, Transport } from './transport.ts'

export interface Page {
  /** How many at most in one page, 1 to 500. */
  limit?: number | undefined
  /** The `next` of the page before. */
  after?: string | undefined
}

/** Reads of one kind, the same for all: one by its id or, where the kind takes names, its name, one page, or all pages. */
export function collection<Item extends z.ZodType, Filter extends object>(
  transport: Transport,
  path: string,
  item: Item,
) {
  const pageSchema = listSchema(item)
  const list = (filter: Filter & { name?: string | undefined } & Page, options: CallOptions = {}) =>
    transport.json(
      { method: 'GET', path, query: filter as Record<string, string | number | undefined>, ...options },
      pageSchema,
    )
  return {
    get: (id: string, options: CallOptions = {}) =>
      transport.json({ method: 'GET', path: one(path, id), ...options }, item),
    list,
    async listAll(
      filter: Filter & { name?: string | undefined },
      options: CallOptions = {},
    ): Promise<z.output<Item>[]> {
      const items: z.output<Item>[] = []
      let after: string | undefined
      do {
        const page = await list({ ...filter, limit: 500, after }, options)
        items.push(...page.items)
        after = page.next ?? undefined
      } while (after !== undefined)
      return items
    },
  }
}

/** The path of one resource; whatever stands in the id stays one part of the path. */
export function one(path: string, id: string): string {
  return `${path}/${encodeURIComponent(id)}`
}

/** Deletes one resource of a kind; most go on in the background. What `force` gives up is the kind's own. */
export function deletion(transport: Transport, path: string) {
  return (id: string, options: CallOptions & { force?: boolean } = {}) => {
    const { force, ...call } = options
    return transport.send({
      method: 'DELETE',
      path: one(path, id),
      query: { force: force === true ? true : undefined },
      ...call,
    })
  }
}

/** Says in words why a resource is as it is. */
export function explaining(transport: Transport, path: string) {
  return (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'GET', path: `${one(path, id)}/why`, ...options }, explanationSchema)
}
