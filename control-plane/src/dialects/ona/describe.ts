import { type DescField, type DescMessage, type DescMethod, ScalarType } from '@bufbuild/protobuf'
import type { UniversalHandler } from '@connectrpc/connect/protocol'
import type { Application } from '../../api/application.ts'

type Schema = Record<string, unknown>

/** Adds the methods to the OpenAPI document of the dialect, as their JSON is. */
export function describeMethods(
  application: Application,
  handlers: ReadonlyMap<string, UniversalHandler>,
): void {
  const messages = new Map<string, DescMessage>()
  for (const { method, requestPath } of handlers.values()) {
    note(messages, method.input)
    note(messages, method.output)
    application.openAPIRegistry.registerPath({
      method: 'post',
      path: requestPath,
      tags: [method.parent.name],
      summary: method.name,
      security: [{ bearer: [] }],
      request: {
        body: { required: true, content: { 'application/json': { schema: reference(method.input) } } },
      },
      responses: {
        200: {
          description: descriptionOf(method),
          content: { 'application/json': { schema: reference(method.output) } },
        },
      },
    })
  }
  for (const message of messages.values())
    application.openAPIRegistry.registerComponent('schemas', message.typeName, schemaOf(message))
  application.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
  })
}

const descriptionOf = ({ methodKind }: DescMethod) =>
  methodKind === 'server_streaming' ? 'A stream: with application/jsonl one object a line' : 'The answer'

const reference = (message: DescMessage) => ({ $ref: `#/components/schemas/${message.typeName}` })

/** The message and all that are in it. */
function note(messages: Map<string, DescMessage>, message: DescMessage): void {
  if (isWellKnown(message) || messages.has(message.typeName)) return
  messages.set(message.typeName, message)
  for (const field of message.fields) {
    const inner = innerOf(field)
    if (inner !== undefined) note(messages, inner)
  }
}

const innerOf = (field: DescField): DescMessage | undefined =>
  field.fieldKind === 'message' || field.fieldKind === 'list' || field.fieldKind === 'map'
    ? field.message
    : undefined

const isWellKnown = ({ typeName }: DescMessage) => typeName.startsWith('google.protobuf.')

function schemaOf(message: DescMessage): Schema {
  const properties = Object.fromEntries(message.fields.map((field) => [field.jsonName, fieldSchema(field)]))
  return { type: 'object', properties }
}

function fieldSchema(field: DescField): Schema {
  if (field.fieldKind === 'list') return { type: 'array', items: valueSchema(field) }
  if (field.fieldKind === 'map') return { type: 'object', additionalProperties: valueSchema(field) }
  return valueSchema(field)
}

function valueSchema(field: DescField): Schema {
  const message = innerOf(field)
  if (message !== undefined) return isWellKnown(message) ? wellKnown(message) : reference(message)
  if (field.enum !== undefined) return { type: 'string', enum: field.enum.values.map(({ name }) => name) }
  return scalarSchema(field.scalar)
}

const wellKnown = ({ name }: DescMessage): Schema =>
  name === 'Timestamp' ? { type: 'string', format: 'date-time' } : { type: 'string', examples: ['3600s'] }

function scalarSchema(scalar: ScalarType | undefined): Schema {
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: 'boolean' }
    case ScalarType.INT32:
    case ScalarType.UINT32:
      return { type: 'integer' }
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return { type: 'string', format: 'int64' }
    case ScalarType.BYTES:
      return { type: 'string', format: 'byte' }
    default:
      return { type: 'string' }
  }
}
