import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import createClient, { type Client, type Middleware } from 'openapi-fetch'
import type { paths } from './generated/feldera.d.ts'

export const documentPath = join(import.meta.dirname, 'openapi.json')

interface Described {
  paths: Record<string, Record<string, { responses: Record<string, Answer | { $ref: string }> }>>
  components: { responses: Record<string, Answer> }
}
interface Answer {
  content?: Record<string, { schema: object }>
}

/** What the interface says of itself, as far as it is written down beside this file. */
export class Facts {
  private readonly document = JSON.parse(readFileSync(documentPath, 'utf8')) as Described & object
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true })
  private readonly compiled = new Map<string, ValidateFunction>()

  constructor() {
    addFormats(this.ajv)
    this.ajv.addSchema(this.document, 'facts')
  }

  /** What is wrong with an answer; null where it is as described. */
  fault(method: string, path: string, status: number, body: unknown): string | null {
    const place = this.placeOf(method, path, status)
    if (place === null)
      return `${method} ${path} is not described to answer ${status}: ${JSON.stringify(body)}`
    const validate = this.compiled.get(place) ?? this.ajv.compile({ $ref: `facts#${place}` })
    this.compiled.set(place, validate)
    return validate(body) === true
      ? null
      : `${method} ${path} ${status}: ${this.ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`
  }

  /** Where in the document the schema of an answer is. */
  private placeOf(method: string, path: string, status: number): string | null {
    const answer = this.document.paths[path]?.[method.toLowerCase()]?.responses[String(status)]
    if (answer === undefined) return null
    const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1')
    const at =
      '$ref' in answer
        ? answer.$ref.slice(1)
        : `/paths/${escaped}/${method.toLowerCase()}/responses/${status}`
    return `${encodeURI(at)}/content/application~1json/schema`
  }
}

export type FelderaClient = Client<paths>

/** The generated client; each answer that is not as described throws. */
export function felderaClient(baseUrl: string, token: string | null, facts = new Facts()): FelderaClient {
  const client = createClient<paths>({
    baseUrl,
    headers: token === null ? {} : { Authorization: `Bearer ${token}` },
  })
  const checked: Middleware = {
    async onResponse({ request, response, schemaPath }) {
      if (!(response.headers.get('Content-Type') ?? '').startsWith('application/json')) return
      const fault = facts.fault(request.method, schemaPath, response.status, await response.clone().json())
      if (fault !== null) throw new Error(fault)
    },
  }
  client.use(checked)
  return client
}
