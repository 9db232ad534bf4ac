export interface Row {
  measure: string
  hearth: number
  floor: number | null
  unit: string
  /** The ratio that must be reached; null if none is required. */
  most: number | null
}

/** A figure with nothing beside it. */
export const plain = (measure: string, hearth: number, unit: string): Row => ({
  measure,
  hearth,
  floor: null,
  unit,
  most: null,
})

/** One table for everything; a ratio over its limit is marked. */
export function printTable(rows: readonly Row[]): void {
  const cells = rows.map((row) => {
    const ratio = row.floor === null ? null : row.hearth / row.floor
    return [
      row.measure,
      `${format(row.hearth)} ${row.unit}`,
      row.floor === null ? '' : `${format(row.floor)} ${row.unit}`,
      ratio === null ? '' : ratio.toFixed(2),
      row.most === null ? '' : `<= ${row.most}${row.floor === null ? ` ${row.unit}` : ''}`,
      row.most === null ? '' : (ratio ?? row.hearth) <= row.most ? 'reached' : 'MISSED',
    ]
  })
  const table = [['measure', 'hearth', 'floor', 'ratio', 'must reach', ''], ...cells]
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? []
  for (const line of table) {
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
  }
}

function format(value: number): string {
  if (value >= 1000) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
