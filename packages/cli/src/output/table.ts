import { stripVTControlCharacters } from 'node:util'
import { visibleLine } from './visible-text.ts'

export interface Table {
  columns: readonly string[]
  rows: readonly (readonly string[])[]
}

/**
 * Formats a table: columns as wide as their widest cell, separated by two spaces, without trailing blanks. Colour
 * codes do not count.
 */
export function renderTable(table: Table): string {
  const rows = table.rows.map((row) => row.map(visibleLine))
  const widths = table.columns.map((column, index) =>
    Math.max(width(column), ...rows.map((row) => width(row[index] ?? ''))),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        index === cells.length - 1
          ? cell
          : cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(cell)) + 2),
      )
      .join('')
      .trimEnd()
  return [line(table.columns), ...rows.map(line)].join('\n')
}

function width(cell: string): number {
  return [...stripVTControlCharacters(cell)].length
}
