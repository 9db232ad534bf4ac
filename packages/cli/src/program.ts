import { Command } from 'commander'
import { commandGroups } from './commands/commands.ts'
import { topicCommands } from './commands/topics.ts'
import type { GlobalOptions, Invocation } from './invocation.ts'
import { version } from './version.ts'

/** The whole command line. Parse errors are thrown instead of ending the process. */
export function createProgram(base: Omit<Invocation, 'options'>): Command {
  const program = new Command('hearth')
  const invocation: Invocation = { ...base, options: () => program.opts<GlobalOptions>() }
  program
    .description('Keeps virtual machines ready, set up for your project, to be claimed in milliseconds.')
    .version(version, '-V, --version')
    .option('--url <url>', 'the control plane; see `hearth help context`')
    .option('--token <token>', 'the token to show it')
    .option('--state <folder>', 'the state folder of this machine')
    .addHelpText(
      'after',
      '\nTopics: hearth help exit-codes | kinds | context\n\nExamples:\n  $ hearth dev\n  $ hearth up -f hearth.yaml\n  $ hearth claim shop',
    )
  for (const { title, commands } of commandGroups) {
    program.commandsGroup(title)
    for (const create of commands) program.addCommand(create(invocation))
  }
  for (const topic of topicCommands()) program.addCommand(topic, { hidden: true })
  settle(program)
  return program
}

/** Commands created separately inherit no settings, so each one is configured. */
function settle(command: Command): void {
  command.exitOverride().showHelpAfterError(`(\`${fullName(command)} --help\` shows how)`)
  for (const child of command.commands) settle(child)
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`
}
