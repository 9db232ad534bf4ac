import { HearthError, isId, newId } from '@hearth/foundation'
import { type Kysely, type RawBuilder, type Selectable, sql, type Updateable } from 'kysely'
import type { CommandContext } from '../api/command.ts'
import { found, requireVersion } from '../api/lookup.ts'
import { type DatabaseTransaction, isUniqueViolation, type Queryable } from '../database/connection.ts'
import type { Schema } from '../database/schema.ts'
import { idNamed } from './reference.ts'

/** The tables whose rows have an id and belong to an organization. */
export type KindTable = {
  [Table in keyof Schema]: Selectable<Schema[Table]> extends { id: string; organization_id: string }
    ? Table
    : never
}[keyof Schema]

/** Whose rows are meant; a caller is one. */
export interface Owner {
  organizationId: string
}

export interface ListFilter extends Owner {
  after?: string | undefined
  limit: number
}

export interface TableRules<Column extends string> {
  /** For messages: `environment class`. */
  noun: string
  /** What is read; by default all columns. */
  columns?: readonly Column[]
  /** Whether a name, which stands for an id then, is one row's in an organization or may be that of several. */
  names?: 'unique' | 'shared'
  /** Rows in this phase are left out of lists unless it is asked for, since they are kept for the record alone. */
  recordPhase?: string
  /** Whether such a row is found by its id. */
  findsRecords?: boolean
}

/** What every kind with `ResourceTable`'s columns begins with. */
export interface NewResource {
  id?: string
  organizationId: string
  creator: string | null
  name: string
  labels: Readonly<Record<string, string>>
  spec: object
}

// Kysely cannot name the columns of a table that is not known before: the statements are written for one that has all.
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
 * The statements that are the same for every kind: a page of a list, one by id or name, the same under lock, a new row,
 * and changes under a new version.
 */
export function resourceQueries<
  Table extends KindTable,
  Column extends string & keyof Selectable<Schema[Table]> = string & keyof Selectable<Schema[Table]>,
>(table: Table, rules: TableRules<Column>) {
  type Row = Pick<Selectable<Schema[Table]>, Column>
  type Columns = Partial<Selectable<Schema[Table]>>
  /** Documents may be given as they are. */
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
  const from = (queryable: Queryable) => {
    const query = on(queryable).selectFrom(name)
    return columns === undefined ? query.selectAll() : query.select(columns as readonly 'id'[])
  }
  /** The row of an id, or of a name where the kind takes names. */
  const one = async (queryable: Queryable, { organizationId }: Owner, given: string, locks: boolean) => {
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

  const find = (queryable: Queryable, owner: Owner, reference: string) =>
    one(queryable, owner, reference, false)
  const lock = (tx: DatabaseTransaction, owner: Owner, reference: string) => one(tx, owner, reference, true)

  return {
    find,
    /** The same row, which nobody else changes until the transaction ends. */
    lock,

    /** The row, or `not_found`. */
    async get(queryable: Queryable, owner: Owner, reference: string): Promise<Row> {
      return found(await find(queryable, owner, reference), noun, reference)
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

    /** One row more than the limit, which tells that there are others. */
    async list(
      queryable: Queryable,
      { organizationId, after, limit }: ListFilter,
      having: { [Key in keyof Columns]?: Columns[Key] | undefined } = {},
    ): Promise<Row[]> {
      let query = from(queryable)
        .where('organization_id', '=', organizationId)
        .orderBy('id')
        .limit(limit + 1)
      for (const [column, value] of Object.entries(having))
        if (value !== undefined) query = query.where(column as 'id', '=', value as string)
      if (recordPhase !== undefined && !('phase' in having && having.phase !== undefined))
        query = query.where('phase', '<>', recordPhase)
      if (after !== undefined) query = query.where('id', '>', after)
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
        ...values,
      }
      const query = on(tx)
        .insertInto(name)
        .values(stored(row) as unknown as AnyTable)
      const inserted =
        columns === undefined ? query.returningAll() : query.returning(columns as readonly 'id'[])
      return (await inserted.executeTakeFirstOrThrow().catch((error: unknown) => {
        if (isUniqueViolation(error)) throw new HearthError('conflict', taken)
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
