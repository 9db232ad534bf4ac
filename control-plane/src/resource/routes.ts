import {
  type Explanation,
  explanationSchema,
  type KindDefinition,
  listQuerySchema,
  listSchema,
  type Role,
} from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../api/application.ts'
import { type Caller, readers } from '../api/caller.ts'
import type { Command } from '../api/command.ts'
import { addEndpoint, type EndpointRequest } from '../api/endpoint.ts'
import { found, idParams, readPage } from '../api/lookup.ts'
import type { Reply } from '../api/perform.ts'
import type { Services } from '../api/services.ts'
import type { DatabaseTransaction, Queryable } from '../database/connection.ts'
import type { ListFilter } from './queries.ts'

export type AddRoute = (application: Application, services: Services) => void

/** How the rows of a kind are found and shown. */
export interface Subject<Row extends { id: string }, Item, Listed extends { id: string } = Row> {
  words: KindDefinition
  /** By default an id alone; kinds whose rows are found by name say so. */
  params?: typeof idParams | z.ZodObject<{ id: z.ZodString }>
  find(queryable: Queryable, caller: Caller, reference: string): Promise<Row | undefined>
  show(queryable: Queryable, row: Row): Item | Promise<Item>
  /** As lists show them, where that is shorter, or cheaper for many at once. */
  showListed?(queryable: Queryable, rows: readonly Listed[]): readonly Item[] | Promise<readonly Item[]>
}

export interface Wording {
  summary: string
  /** Of the answer. */
  description: string
  /** By default everybody who reads. */
  roles?: readonly Role[]
}

export interface ChangeRoute<Outcome> extends Wording {
  roles: readonly Role[]
  status?: Reply['status']
  /** By default the kind's own, of the row that the command returns. */
  schema?: z.ZodType
  value?(outcome: Outcome, tx: DatabaseTransaction, services: Services): unknown
}

/** What a command on one resource gets. */
export interface OnOne<Body = unknown> {
  /** Its id, or its name where the kind takes names. */
  reference: string
  body: Body
}

/** Whether what would be lost is to be given up. */
export interface Force {
  force: boolean
}

const none = z.strictObject({})
const forceQuery = z.strictObject({ force: z.enum(['true', 'false']).default('false') })

/** Makes the routes of a kind, each with its OpenAPI description, from what they do not have in common with others. */
export function routesOf<Row extends { id: string }, Item, Listed extends { id: string } = Row>(
  subject: Subject<Row, Item, Listed>,
) {
  const { words, find, show } = subject
  const { path, tag, noun, schema } = words
  const params = (subject.params ?? idParams) as typeof idParams
  const showListed =
    subject.showListed ??
    ((queryable: Queryable, rows: readonly Listed[]) =>
      Promise.all(rows.map((row) => show(queryable, row as unknown as Row))))

  const answerTo = <Outcome>(route: ChangeRoute<Outcome>, usual: Reply['status']) => ({
    status: route.status ?? usual,
    schema: route.schema ?? schema,
    description: route.description,
  })
  /** Performs the command, and answers with what it made of the row. */
  const change =
    <Input, Outcome>(
      { value: toValue, status }: ChangeRoute<Outcome>,
      command: Command<Input, Outcome>,
      usual: Reply['status'],
      services: Services,
    ) =>
    ({ perform }: Pick<EndpointRequest<unknown, unknown, unknown>, 'perform'>, input: Input) =>
      perform(command, input, async (outcome, tx) => ({
        status: status ?? usual,
        value:
          toValue === undefined
            ? await show(tx, outcome as unknown as Row)
            : await toValue(outcome, tx, services),
      }))

  return {
    /** A page of those that the caller may see; `read` narrows them by the query. */
    list<Shape extends z.ZodRawShape>(
      wording: Wording,
      shape: Shape,
      read: (
        queryable: Queryable,
        filter: ListFilter & z.output<z.ZodObject<Shape>>,
        caller: Caller,
      ) => Promise<Listed[]>,
    ): AddRoute {
      const query = listQuerySchema.extend(shape)
      return (application, services) =>
        addEndpoint(application, services, {
          method: 'get',
          path,
          tag,
          summary: wording.summary,
          roles: wording.roles ?? readers,
          query,
          answer: { status: 200, schema: listSchema(schema), description: wording.description },
          handle: async ({ caller, query: wanted }) => {
            const { database } = services
            const filter = { ...wanted, organizationId: caller.organizationId } as unknown as ListFilter &
              z.output<z.ZodObject<Shape>>
            const readPart = async (part: { after: string | undefined; limit: number }) => {
              const rows = await read(database, { ...filter, ...part }, caller)
              const items = await showListed(database, rows)
              return rows.map(({ id }, index) => ({ id, item: items[index] }))
            }
            return { status: 200, value: await readPage(filter, readPart, ({ item }) => item) }
          },
        })
    },

    show(wording: Wording): AddRoute {
      return (application, services) =>
        addEndpoint(application, services, {
          method: 'get',
          path: `${path}/{id}`,
          tag,
          summary: wording.summary,
          roles: wording.roles ?? readers,
          params,
          answer: { status: 200, schema, description: wording.description },
          handle: async ({ caller, params: { id } }) => {
            const row = found(await find(services.database, caller, id), noun, id)
            return { status: 200, value: await show(services.database, row) }
          },
        })
    },

    /** Says in words why one is as it is. */
    why(
      summary: string,
      explain: (queryable: Queryable, row: Row, now: Date) => Promise<Explanation>,
    ): AddRoute {
      const description = 'A sentence, its evidence, and what comes next'
      return (application, services) =>
        addEndpoint(application, services, {
          method: 'get',
          path: `${path}/{id}/why`,
          tag,
          summary,
          roles: readers,
          params,
          answer: { status: 200, schema: explanationSchema, description },
          handle: async ({ caller, params: { id } }) => {
            const { database, clock } = services
            const row = found(await find(database, caller, id), noun, id)
            return { status: 200, value: await explain(database, row, clock.now()) }
          },
        })
    },

    /** Makes one: the command gets the body. */
    create<Body extends z.ZodType, Outcome>(
      route: ChangeRoute<Outcome> & { body: Body },
      command: Command<z.output<Body>, Outcome>,
    ): AddRoute {
      return (application, services) => {
        const reply = change(route, command, 201, services)
        addEndpoint(application, services, {
          method: 'post',
          path,
          tag,
          summary: route.summary,
          roles: route.roles,
          body: route.body as z.ZodType,
          answer: answerTo(route, 201),
          handle: (request) => reply(request, request.body as z.output<Body>),
        })
      }
    },

    /** Changes what is wanted of one. */
    update<Body extends z.ZodType, Outcome>(
      route: ChangeRoute<Outcome> & { body: Body },
      command: Command<OnOne<z.output<Body>>, Outcome>,
    ): AddRoute {
      return (application, services) => {
        const reply = change(route, command, 200, services)
        addEndpoint(application, services, {
          method: 'patch',
          path: `${path}/{id}`,
          tag,
          summary: route.summary,
          roles: route.roles,
          params,
          body: route.body as z.ZodType,
          answer: answerTo(route, 200),
          handle: (request) =>
            reply(request, { reference: request.params.id, body: request.body as z.output<Body> }),
        })
      }
    },

    /** Deletes one; `takesForce` says whether it takes `force=true`. */
    remove<Outcome>(
      route: ChangeRoute<Outcome> & { takesForce?: boolean },
      command: Command<OnOne<Force>, Outcome>,
    ): AddRoute {
      return (application, services) => {
        const reply = change(route, command, 200, services)
        addEndpoint(application, services, {
          method: 'delete',
          path: `${path}/{id}`,
          tag,
          summary: route.summary,
          roles: route.roles,
          params,
          ...(route.takesForce === true ? { query: forceQuery } : {}),
          answer: answerTo(route, 200),
          handle: (request) => {
            const force = 'force' in request.query && request.query.force === 'true'
            return reply(request, { reference: request.params.id, body: { force } })
          },
        })
      }
    },

    /** Does something else with one, under a path of its own. */
    action<Body extends z.ZodType = typeof none, Outcome = Row>(
      name: string,
      route: ChangeRoute<Outcome> & { body?: Body },
      command: Command<OnOne<z.output<Body>>, Outcome>,
    ): AddRoute {
      return (application, services) => {
        const reply = change(route, command, 201, services)
        addEndpoint(application, services, {
          method: 'post',
          path: `${path}/{id}/${name}`,
          tag,
          summary: route.summary,
          roles: route.roles,
          params,
          ...(route.body === undefined ? {} : { body: route.body as z.ZodType }),
          answer: answerTo(route, 201),
          handle: (request) =>
            reply(request, { reference: request.params.id, body: request.body as z.output<Body> }),
        })
      }
    },
  }
}
