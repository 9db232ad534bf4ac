import { join } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import { root } from './source-files.ts'

/** Reads the imports below a folder and checks them by the project's own rules. */
export async function cruiseFolder(baseDir: string, paths: string[]): Promise<ICruiseResult> {
  const options = await extractOptions(join(root, '.dependency-cruiser.cjs'))
  const { output } = await cruise(paths, { ...options, baseDir })
  if (typeof output === 'string') throw new Error(`a result was expected, not text: ${output}`)
  return output
}

export const workspaces = ['packages', 'control-plane', 'runner-agent', 'test']

/** `from -> to (rule)`, one line for each refused import. */
export const violations = (result: ICruiseResult): string[] =>
  result.summary.violations.map(({ from, to, rule }) => `${from} -> ${to} (${rule.name})`)
