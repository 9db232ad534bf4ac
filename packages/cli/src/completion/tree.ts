import type { Command } from 'commander'

/** Completions after a sequence of command words. */
export interface CompletionNode {
  /** Command words so far, without `hearth`. */
  path: readonly string[]
  words: readonly { word: string; summary: string }[]
  options: readonly { flag: string; summary: string; choices: readonly string[] }[]
}

/** Every node of the command tree, from the command declarations. */
export function completionTree(program: Command): CompletionNode[] {
  const globals = flagsOf(program)
  const walk = (command: Command, path: readonly string[]): CompletionNode[] => {
    const children = command.commands.filter((child) => !isHidden(child))
    const node: CompletionNode = {
      path,
      words: [
        ...children.map((child) => ({ word: child.name(), summary: child.summary() })),
        ...argumentChoices(command),
      ],
      options: path.length === 0 ? globals : [...flagsOf(command), ...globals],
    }
    return [node, ...children.flatMap((child) => walk(child, [...path, child.name()]))]
  }
  return walk(program, [])
}

function flagsOf(command: Command): CompletionNode['options'] {
  return command.options
    .filter((option) => option.long !== undefined && option.long !== null && !option.hidden)
    .map((option) => ({
      flag: option.long ?? '',
      summary: option.description,
      choices: option.argChoices ?? [],
    }))
}

function argumentChoices(command: Command): CompletionNode['words'] {
  const [first] = command.registeredArguments
  return (first?.argChoices ?? []).map((word) => ({ word, summary: '' }))
}

function isHidden(command: Command): boolean {
  return command.summary() === ''
}
