import { type AST, ParseError, parseTOML } from 'toml-eslint-parser'
import type { Place } from './yaml-place.ts'

const mostBytes = 32 * 1024
const mostDepth = 16

/** What keeps a text from being read as TOML, and where. */
export class TomlFault extends Error {
  constructor(
    message: string,
    readonly place: Place,
  ) {
    super(message)
  }
}

export interface BoundedToml {
  value: Record<string, unknown>
  /** Where a path of the value stands in the text; for a missing field, where its nearest parent stands. */
  placeOf(path: readonly PropertyKey[]): Place
}

/** Reads TOML that a stranger wrote, in a tenth of a second at most. Throws a `TomlFault`. */
export function parseBoundedToml(text: string): BoundedToml {
  if (new TextEncoder().encode(text).byteLength > mostBytes)
    throw new TomlFault(`the file is larger than ${mostBytes} bytes`, start)
  return new Reading(parsed(text)).all()
}

const start: Place = { line: 1, column: 1 }

function parsed(text: string): AST.TOMLProgram {
  try {
    return parseTOML(text, { tomlVersion: '1.0.0' })
  } catch (thrown) {
    if (thrown instanceof ParseError)
      throw new TomlFault(thrown.message, { line: thrown.lineNumber, column: thrown.column + 1 })
    // The parser calls itself for each level.
    if (thrown instanceof RangeError) throw new TomlFault(tooDeep, start)
    throw thrown
  }
}

const tooDeep = `more than ${mostDepth} levels of tables and lists`

type Table = Record<string, unknown>
/** Numbers are places in lists. */
type Path = readonly (string | number)[]

/** Makes the value by itself: the parser's own function lets a key `__proto__` change every object of the process. */
class Reading {
  readonly #root: Table = {}
  readonly #places = new Map<string, Place>()

  constructor(private readonly program: AST.TOMLProgram) {}

  all(): BoundedToml {
    const [top] = this.program.body
    for (const node of top.body) {
      if (node.type === 'TOMLKeyValue') this.#keyValue(this.#root, [], node)
      else {
        const path = node.resolvedKey
        const table = this.#tableAt(this.#root, [], path, node)
        for (const entry of node.body) this.#keyValue(table, path, entry)
      }
    }
    return {
      value: this.#root,
      placeOf: (path) => this.#placeOf(path.filter((part) => typeof part !== 'symbol')),
    }
  }

  #keyValue(parent: Table, path: Path, { key, value, loc }: AST.TOMLKeyValue): void {
    const names = key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value))
    const last = names.pop() ?? ''
    const table = this.#tableAt(parent, path, names, { loc })
    const at = [...path, ...names, last]
    this.#note(at, loc)
    table[safe(last, loc)] = this.#content(value, at)
  }

  /** The table at some path below another; those on the way are made. */
  #tableAt(from: Table, above: Path, path: Path, { loc }: Located): Table {
    let table = from
    for (const [index, part] of path.entries()) {
      this.#note([...above, ...path.slice(0, index + 1)], loc)
      const key = safe(String(part), loc)
      if (!Object.hasOwn(table, key)) table[key] = typeof path[index + 1] === 'number' ? [] : {}
      table = table[key] as Table
    }
    return table
  }

  #content(node: AST.TOMLContentNode, path: Path): unknown {
    switch (node.type) {
      case 'TOMLValue':
        return node.value
      case 'TOMLArray':
        return node.elements.map((element, index) => {
          const at = [...path, index]
          this.#note(at, element.loc)
          return this.#content(element, at)
        })
      case 'TOMLInlineTable': {
        const table: Table = {}
        for (const entry of node.body) this.#keyValue(table, path, entry)
        return table
      }
    }
  }

  #note(path: Path, { start: { line, column } }: AST.SourceLocation): void {
    const place = { line, column: column + 1 }
    if (path.length > mostDepth) throw new TomlFault(tooDeep, place)
    const key = keyOf(path)
    if (!this.#places.has(key)) this.#places.set(key, place)
  }

  #placeOf(path: Path): Place {
    const found = this.#places.get(keyOf(path))
    if (found !== undefined) return found
    return path.length === 0 ? start : this.#placeOf(path.slice(0, -1))
  }
}

const keyOf = (path: Path) => JSON.stringify(path.map(String))

interface Located {
  loc: AST.SourceLocation
}

function safe(name: string, { start: { line, column } }: AST.SourceLocation): string {
  if (name !== '__proto__') return name
  throw new TomlFault('a key may not be __proto__', { line, column: column + 1 })
}
