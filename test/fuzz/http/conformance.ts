import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Operation } from './operations.ts'

/** Checks answers against the OpenAPI document. */
export class Conformance {
  readonly #ajv = new Ajv2020({ strict: false })
  readonly #validators = new Map<string, ValidateFunction>()

  constructor() {
    addFormats(this.#ajv)
  }

  /** What is wrong with an answer, or null. */
  faultOf(operation: Operation, status: number, text: string): string | null {
    const documented = operation.responses[String(status)]
    if (documented === undefined) return `answered ${status}, which is not documented: ${text.slice(0, 300)}`
    const schema = documented.content?.['application/json']?.schema
    if (schema === undefined) return null
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return `answered ${status} with what is not JSON: ${text.slice(0, 300)}`
    }
    const validate = this.#validator(`${operation.method} ${operation.path} ${status}`, {
      ...schema,
      components: operation.components,
    })
    return validate(value) ? null : `answered ${status} with ${this.#ajv.errorsText(validate.errors)}`
  }

  #validator(key: string, schema: object): ValidateFunction {
    const known = this.#validators.get(key)
    if (known !== undefined) return known
    const made = this.#ajv.compile(schema)
    this.#validators.set(key, made)
    return made
  }
}
