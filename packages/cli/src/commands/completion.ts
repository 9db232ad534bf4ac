import { Argument, Command } from 'commander'
import { bashCompletion } from '../completion/bash.ts'
import { fishCompletion } from '../completion/fish.ts'
import { completionTree } from '../completion/tree.ts'
import { zshCompletion } from '../completion/zsh.ts'
import type { Invocation } from '../invocation.ts'
import { examples } from './options.ts'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

export function completionCommand(invocation: Invocation): Command {
  const command = new Command('completion')
  return command
    .summary('a completion script for your shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      examples(
        'source <(hearth completion bash)',
        'source <(hearth completion zsh)',
        'hearth completion fish > ~/.config/fish/completions/hearth.fish',
      ),
    )
    .action((shell: keyof typeof scripts) => {
      const program = command.parent
      if (program !== null) invocation.terminal.raw(scripts[shell](completionTree(program)))
    })
}
