import type { HearthClient } from '@hearth/client'
import type { ResourceKind } from '@hearth/contract'
import type { Table } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'

export interface View {
  client: HearthClient
  terminal: Terminal
  now: Date
  signal: AbortSignal
}

/** Narrows a list; each is used by the kinds that have it. */
export interface Filter {
  project?: string | undefined
  pool?: string | undefined
  runner?: string | undefined
  phase?: string | undefined
}

export interface Fetched {
  resources: unknown[]
  table(): Table
}

/** How one kind is named, read and shown on the command line. */
export interface Kind {
  /** Singular first; all are accepted. */
  names: readonly [string, ...string[]]
  summary: string
  /** In events; null for kinds that have none. */
  eventKind: ResourceKind | null
  list(view: View, filter: Filter): Promise<Fetched>
  one(view: View, reference: string): Promise<{ resource: unknown; table(): Table; text(): string }>
  /** Starts the deletion of one; `gone` says whether nothing is left of it. Absent where there is none. */
  remove?(view: View, reference: string, options: { force: boolean }): Promise<Removal>
}

export interface Removal {
  id: string
  name: string
  gone(signal: AbortSignal): Promise<boolean>
}

interface Definition<Item> extends Pick<Kind, 'names' | 'summary' | 'eventKind'> {
  columns: readonly string[]
  /** Names of what the rows refer to, fetched once for the whole table. */
  row(item: Item, view: View, names: ReadonlyMap<string, string>): string[]
  namesNeeded?(view: View): Promise<ReadonlyMap<string, string>>
  fetchAll(view: View, filter: Filter): Promise<Item[]>
  fetchOne(view: View, reference: string): Promise<Item>
  describe(item: Item, view: View, names: ReadonlyMap<string, string>): string | Promise<string>
  remove?: Kind['remove']
}

const noNames: ReadonlyMap<string, string> = new Map()

export function defineKind<Item>(definition: Definition<Item>): Kind {
  const namesFor = (view: View) => definition.namesNeeded?.(view) ?? Promise.resolve(noNames)
  const tableOf = (items: readonly Item[], view: View, names: ReadonlyMap<string, string>): Table => ({
    columns: definition.columns,
    rows: items.map((item) => definition.row(item, view, names)),
  })
  return {
    names: definition.names,
    summary: definition.summary,
    eventKind: definition.eventKind,
    async list(view, filter) {
      const [resources, names] = await Promise.all([definition.fetchAll(view, filter), namesFor(view)])
      return { resources, table: () => tableOf(resources, view, names) }
    },
    async one(view, reference) {
      const [resource, names] = await Promise.all([definition.fetchOne(view, reference), namesFor(view)])
      const text = await definition.describe(resource, view, names)
      return { resource, table: () => tableOf([resource], view, names), text: () => text }
    },
    ...(definition.remove === undefined ? {} : { remove: definition.remove }),
  }
}
