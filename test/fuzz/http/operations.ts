export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  pattern?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  items?: Schema
  minimum?: number
  maximum?: number
}

export type Components = { schemas?: Record<string, Schema> }

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  schema: Schema
}

/** One method of one path, as an OpenAPI document of the target describes it. */
export interface Operation {
  method: string
  path: string
  parameters: Parameter[]
  body: Schema | null
  responses: Record<string, { content?: Record<string, { schema: object }> }>
  /** Roles of which the token needs one; empty for any token, null when the document does not say. */
  roles: readonly string[] | null
  /** Whether no token is needed: the request proves itself in another way. */
  isOpen: boolean
  components: Components
}

interface Document {
  servers?: { url: string }[]
  paths: Record<string, Record<string, Described>>
  components: Components
}
type Described = Pick<Operation, 'responses'> & {
  parameters?: Parameter[]
  'x-roles'?: string[]
  security?: readonly object[]
  requestBody?: { content: { 'application/json'?: { schema: Schema } } }
}

const documents = ['/openapi.json', '/api/v1/openapi.json', '/apis/tilt.dev/openapi.json']

/** Whether an answer goes on until somebody ends it. */
export const isStreamed = (headers: Headers) =>
  /event-stream|stream=watch/.test(headers.get('Content-Type') ?? '')

export async function readOperations(url: string): Promise<Operation[]> {
  const read = await Promise.all(
    documents.map(async (path) => (await (await fetch(url + path)).json()) as Document),
  )
  return read.flatMap(({ servers, paths, components }) =>
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [], requestBody, responses, ...more }]) => ({
        method: method.toUpperCase(),
        path: `${servers?.[0]?.url ?? ''}${path}`,
        parameters,
        body: requestBody?.content['application/json']?.schema ?? null,
        responses,
        roles: more['x-roles'] ?? null,
        isOpen: more.security?.length === 0,
        components,
      })),
    ),
  )
}
