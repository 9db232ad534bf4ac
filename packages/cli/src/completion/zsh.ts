import { bashCompletion } from './bash.ts'
import type { CompletionNode } from './tree.ts'

/** A completion script for zsh, which runs the one for bash: `source <(hearth completion zsh)`. */
export function zshCompletion(tree: readonly CompletionNode[]): string {
  return `#compdef hearth
# Completion of hearth for zsh. Load it with: source <(hearth completion zsh)
autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(tree)}`
}
