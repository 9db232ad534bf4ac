import type { CompletionNode } from './tree.ts'

/** A completion script for fish: `hearth completion fish | source`. */
export function fishCompletion(tree: readonly CompletionNode[]): string {
  const lines = tree.flatMap(({ path, words, options }) => {
    const condition = path.length === 0 ? '__fish_use_subcommand' : seen(path)
    const inner = words.filter(({ word }) => !path.includes(word)).map(({ word }) => word)
    const open =
      inner.length > 0 && path.length > 0
        ? `${condition}; and not __fish_seen_subcommand_from ${inner.join(' ')}`
        : condition
    return [
      ...words.map(
        ({ word, summary }) => `complete -c hearth -f -n '${open}' -a '${word}'${described(summary)}`,
      ),
      ...options.map(({ flag, summary, choices }) => {
        const values = choices.length === 0 ? '' : ` -x -a '${choices.join(' ')}'`
        const where = path.length === 0 ? '' : ` -n '${condition}'`
        return `complete -c hearth${where} -l ${flag.slice(2)}${values}${described(summary)}`
      }),
    ]
  })
  return `# Completion of hearth for fish. Load it with: hearth completion fish | source\n${lines.join('\n')}\n`
}

function seen(path: readonly string[]): string {
  return path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
}

function described(summary: string): string {
  return summary === '' ? '' : ` -d '${summary.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
