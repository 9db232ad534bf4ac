import type { HearthClient } from '@hearth/client'
import type { KindDefinition, ResourceKind } from '@hearth/contract'
import type { Table } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'

/** Names by id of the resources that others refer to. */
export type Names = ReadonlyMap<string, string>

export interface View {
  client: HearthClient
  terminal: Terminal
  now: Date
  signal: AbortSignal
}

/** Filters of a list; each kind uses those it has. */
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
  /** Accepted words, singular first. */
  names: readonly [string, ...string[]]
  summary: string
  /** Name of the kind in events; null for kinds without events. */
  eventKind: ResourceKind | null
  /** Whether `hearth why` explains it. */
  isExplained: boolean
  list(view: View, filter: Filter): Promise<Fetched>
  one(view: View, reference: string): Promise<{ resource: unknown; table(): Table; text(): string }>
  /** The id of the resource with this id or name. */
  idOf(view: View, reference: string): Promise<string>
  /**
   * Starts the deletion of a resource; `gone` says whether it is already gone. Absent for kinds that cannot be
   * deleted.
   */
  remove?(view: View, reference: string, options: { force: boolean }): Promise<Removal>
}

export interface Removal {
  id: string
  name: string
  gone(signal: AbortSignal): Promise<boolean>
}

interface Presentation<Item> {
  columns: readonly string[]
  /** Names of the resources that the rows refer to, fetched once for the whole table. */
  row(item: Item, view: View, names: Names): string[]
  namesNeeded?(view: View, items: Promise<readonly Item[]>): Promise<Names>
  fetchAll(view: View, filter: Filter): Promise<Item[]>
  fetchOne(view: View, reference: string): Promise<Item>
  describe(item: Item, view: View, names: Names): string | Promise<string>
  remove?: Kind['remove']
}

const noNames: Names = new Map()

/** A kind of the contract, whose words it has, with its presentation. */
export function defineKind<Item extends { metadata: { id: string } } | { id: string }>(
  { kind, word, words, aliases, summary, hasEvents, isExplained }: KindDefinition<Item>,
  presentation: Presentation<NoInfer<Item>>,
): Kind {
  const namesFor = (view: View, items: Promise<readonly Item[]>) =>
    presentation.namesNeeded?.(view, items) ?? Promise.resolve(noNames)
  const tableOf = (items: readonly Item[], view: View, names: Names): Table => ({
    columns: presentation.columns,
    rows: items.map((item) => presentation.row(item, view, names)),
  })
  return {
    names: [word, words, ...aliases],
    summary,
    eventKind: hasEvents ? (kind as ResourceKind) : null,
    isExplained,
    async list(view, filter) {
      const fetched = presentation.fetchAll(view, filter)
      const [resources, names] = await Promise.all([fetched, namesFor(view, fetched)])
      return { resources, table: () => tableOf(resources, view, names) }
    },
    async one(view, reference) {
      const fetched = presentation.fetchOne(view, reference)
      const listed = fetched.then((item) => [item])
      const [resource, names] = await Promise.all([fetched, namesFor(view, listed)])
      const text = await presentation.describe(resource, view, names)
      return { resource, table: () => tableOf([resource], view, names), text: () => text }
    },
    async idOf(view, reference) {
      const item = await presentation.fetchOne(view, reference)
      return 'metadata' in item ? item.metadata.id : item.id
    },
    ...(presentation.remove === undefined ? {} : { remove: presentation.remove }),
  }
}
