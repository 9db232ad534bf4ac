import { HearthError, isId, newId } from '@hearth/foundation'
import { type Kysely, type RawBuilder, type Selectable, sql, type Updateable } from 'kysely'
import type { CommandContext } from '../api/command.ts'
import { found, requireVersion } from '../api/lookup.ts'
import { type DatabaseTransaction, isUniqueViolation, type Queryable } from '../database/connection.ts'
import type { Schema } from '../database/schema.ts'
import { idNamed } from './reference.ts'

/** Tables whose rows have an id and belong to an organization. */
export type KindTable = {
  [Table in keyof Schema]: Selectable<Schema[Table]> extends { id: string; organization_id: string }
    ? Table
    : never
}[keyof Schema]

/** The organization whose rows are read or written; a `Caller` is one. */
export interface OrganizationScope {
  organizationId: string
}

export interface ListFilter extends OrganizationScope {
  after?: string | undefined
  limit: number
  /** By default the oldest come first. */
  newestFirst?: boolean
}

export interface TableRules<Column extends string> {
  /** The kind in messages, such as `environment class`. */
  noun: string
  /** Columns that are read; by default all. */
  columns?: readonly Column[]
  /** Whether names, which are then accepted in place of ids, are unique in an organization or may be shared. */
  names?: 'unique' | 'shared'
  /** Phase of rows that are kept for the record only: lists leave them out unless they filter by it. */
  recordPhase?: string
  /** Whether rows in that phase are found by id. */
  findsRecords?: boolean
  /** What is the same in all rows of the kind, where other kinds have rows in the table too. */
  only?: Readonly<Record<string, string>>
}

/** The values that every new resource needs. */
export interface NewResource {
  id?: string
  organizationId: string
  creator: string | null
  name: string
  labels: Readonly<Record<string, string>>
  spec: object
}

// Kysely cannot type the columns of a table given at run time: the statements are typed for a table that has all of
// them.
interface AnyTable {
  id: string
  organization_id: string
  name: string
  phase: string
  spec_version: number
  status_version: number
  updated_at: Date
}
type AnyDatabase = Kysely<{ rows: AnyTable }>

/**
 * The statements shared by all kinds: list a page, find and lock one row by id or name, insert, and update under a new
 * version.
 */
export function resourceQueries<
  Table extends KindTable,
  Column extends string & keyof Selectable<Schema[Table]> = string & keyof Selectable<Schema[Table]>,
>(table: Table, rules: TableRules<Column>) {
  type Row = Pick<Selectable<Schema[Table]>, Column>
  type Columns = Partial<Selectable<Schema[Table]>>
  /** Changed columns; JSON columns may be given as objects. */
  type Changes = {
    [Key in keyof Updateable<Schema[Table]>]?:
      | Updateable<Schema[Table]>[Key]
      | (Key extends keyof Columns
          ? Columns[Key] | RawBuilder<Exclude<Columns[Key], null | undefined>>
          : never)
      | undefined
  }
  const { columns, noun, recordPhase } = rules
  const name = table as 'rows'
  const on = (queryable: Queryable) => queryable as unknown as AnyDatabase
  const only = Object.entries(rules.only ?? {})
  const from = (queryable: Queryable) => {
    let query = on(queryable).selectFrom(name)
    for (const [column, value] of only) query = query.where(column as 'id', '=', value)
    return columns === undefined ? query.selectAll() : query.select(columns as readonly 'id'[])
  }
  /** The row with this id, or with this name where the kind accepts names. */
  const one = async (
    queryable: Queryable,
    { organizationId }: OrganizationScope,
    given: string,
    locks: boolean,
  ) => {
    const isName = rules.names !== undefined && !isId(given)
    const looksUp = isName && rules.names === 'shared'
    const reference = looksUp ? await idNamed(queryable, table, rules, organizationId, given) : given
    if (reference === undefined) return undefined
    let query = from(queryable)
      .where('organization_id', '=', organizationId)
      .where(isName && !looksUp ? 'name' : 'id', '=', reference)
    if (recordPhase !== undefined && rules.findsRecords !== true)
      query = query.where('phase', '<>', recordPhase)
    const row = await (locks ? query.forUpdate() : query).executeTakeFirst()
    return row as unknown as Row | undefined
  }
  const change = async (tx: DatabaseTransaction, id: string, values: object): Promise<Row> => {
    const query = on(tx).updateTable(name).set(stored(values)).where('id', '=', id)
    const changed = columns === undefined ? query.returningAll() : query.returning(columns as readonly 'id'[])
    return (await changed.executeTakeFirstOrThrow()) as unknown as Row
  }

  const find = (queryable: Queryable, scope: OrganizationScope, reference: string) =>
    one(queryable, scope, reference, false)
  const lock = (tx: DatabaseTransaction, scope: OrganizationScope, reference: string) =>
    one(tx, scope, reference, true)

  return {
    find,
    /** The same row, locked until the transaction ends. */
    lock,

    /** The row, or `not_found`. */
    async get(queryable: Queryable, scope: OrganizationScope, reference: string): Promise<Row> {
      return found(await find(queryable, scope, reference), noun, reference)
    },

    /** The caller's row under lock, at the version that the change is based on. */
    async lockForChange(
      tx: DatabaseTransaction,
      { caller, expectedVersion }: Pick<CommandContext, 'caller' | 'expectedVersion'>,
      reference: string,
    ): Promise<Row> {
      const row = found(await lock(tx, caller, reference), noun, reference)
      requireVersion(expectedVersion, (row as unknown as AnyTable).spec_version)
      return row
    },

    /** Returns one row more than the limit when there are more. */
    async list(
      queryable: Queryable,
      { organizationId, after, limit, newestFirst = false }: ListFilter,
      having: {
        [Key in keyof Columns]?: Columns[Key] | readonly NonNullable<Columns[Key]>[] | undefined
      } = {},
    ): Promise<Row[]> {
      let query = from(queryable)
        .where('organization_id', '=', organizationId)
        .orderBy('id', newestFirst ? 'desc' : 'asc')
        .limit(limit + 1)
      for (const [column, value] of Object.entries(having))
        if (Array.isArray(value)) query = query.where(column as 'id', 'in', value as string[])
        else if (value !== undefined) query = query.where(column as 'id', '=', value as string)
      if (recordPhase !== undefined && !('phase' in having && having.phase !== undefined))
        query = query.where('phase', '<>', recordPhase)
      if (after !== undefined) query = query.where('id', newestFirst ? '<' : '>', after)
      return (await query.execute()) as unknown as Row[]
    },

    async readById(queryable: Queryable, id: string): Promise<Row | undefined> {
      return (await from(queryable).where('id', '=', id).executeTakeFirst()) as Row | undefined
    },

    /** By its id, whoever's it is and whatever its phase: for reconcilers, which know nothing of callers. */
    async lockById(tx: DatabaseTransaction, id: string): Promise<Row | undefined> {
      return (await from(tx).where('id', '=', id).forUpdate().executeTakeFirst()) as Row | undefined
    },

    /** A new row; a name that is taken is a conflict, which `taken` words where it is not the name that was given. */
    async insert(
      tx: DatabaseTransaction,
      created: NewResource,
      values: Columns = {},
      taken = `there is ${article(noun)} ${noun} ${created.name} already`,
    ): Promise<Row> {
      const row = {
        id: created.id ?? newId(),
        organization_id: created.organizationId,
        name: created.name,
        creator: created.creator,
        labels: created.labels,
        spec: created.spec,
        status: {},
        ...rules.only,
        ...values,
      }
      const query = on(tx)
        .insertInto(name)
        .values(stored(row) as unknown as AnyTable)
      const inserted =
        columns === undefined ? query.returningAll() : query.returning(columns as readonly 'id'[])
      return (await inserted.executeTakeFirstOrThrow().catch((error: unknown) => {
        if (isUniqueViolation(error)) throw new HearthError('conflict', taken, { isTaken: true })
        throw error
      })) as unknown as Row
    },

    /** Changes what is wanted, under a new specVersion. */
    changeSpec: (tx: DatabaseTransaction, id: string, values: Changes): Promise<Row> =>
      change(tx, id, { updated_at: sql`now()`, ...values, spec_version: sql`spec_version + 1` }),

    /** Changes what is seen, under a new statusVersion. */
    changeStatus: (tx: DatabaseTransaction, id: string, values: Changes): Promise<Row> =>
      change(tx, id, { updated_at: sql`now()`, ...values, status_version: sql`status_version + 1` }),

    async remove(queryable: Queryable, id: string): Promise<void> {
      await on(queryable).deleteFrom(name).where('id', '=', id).execute()
    },
  }
}

/** Documents as JSON. Lists stay what the driver makes of them: PostgreSQL's own arrays. */
function stored(values: object): Record<string, never> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([column, value]) => [column, isDocument(value) ? JSON.stringify(value) : value]),
  ) as Record<string, never>
}

function isDocument(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

export const article = (noun: string): 'a' | 'an' => (/^[aeiou]/.test(noun) ? 'an' : 'a')
