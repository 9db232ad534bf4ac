import { assertNever } from '@hearth/foundation'
import { Option } from 'commander'
import { stringify } from 'yaml'
import { renderTable, type Table } from './table.ts'
import type { Terminal } from './terminal.ts'

export const formats = ['table', 'json', 'yaml'] as const
export type Format = (typeof formats)[number]

/** `-o json|yaml|table`, for every command that shows something. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to show it').choices(formats).default('table')
}

/** Prints a value: unchanged for programs, formatted by `text` for people. */
export function show(terminal: Terminal, format: Format, value: unknown, text: () => Table | string): void {
  terminal.raw(rendered(format, value, text))
}

function rendered(format: Format, value: unknown, text: () => Table | string): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(value, null, 2)}\n`
    case 'yaml':
      return stringify(value, { lineWidth: 0 })
    case 'table': {
      const shown = text()
      return `${typeof shown === 'string' ? shown : renderTable(shown)}\n`
    }
    default:
      return assertNever(format)
  }
}
