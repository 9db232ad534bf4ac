import { readFileSync } from 'node:fs'
import { type ProjectDeclarationInput, type ProjectFileFault, parseProjectFile } from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import { CommandError, exitCodes } from '../exit-codes.ts'

/**
 * Reads a project file; `-` is standard input. A file with errors is rejected as a whole, with the position of each
 * error.
 */
export function readProjectFile(path: string): ProjectDeclarationInput {
  let text: string
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new HearthError('invalid', `cannot read ${path}: ${toError(cause).message}`, { cause })
  }
  const { declaration, faults } = parseProjectFile(text)
  if (declaration !== null) return declaration
  throw new CommandError(faultLines(path, faults).join('\n'), exitCodes.badInput, true)
}

/** Error position as `hearth.yaml:12:5: warmPools.0.min: ...`, the form that editors can jump to. */
export function faultLines(path: string, faults: readonly ProjectFileFault[]): string[] {
  const file = path === '-' ? 'standard input' : path
  const inOrder = faults.toSorted((one, other) => one.line - other.line || one.column - other.column)
  return inOrder.map(
    ({ line, column, path: field, message }) =>
      `${file}:${line}:${column}: ${field === '' ? '' : `${field}: `}${message}`,
  )
}
