import { Command } from 'commander'
import { endAs, followLog } from '../following/follow-process.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { remoteCommand } from '../ssh/quote.ts'
import { addPair } from './claim-binding.ts'
import { span } from './life-options.ts'
import { addLabel, examples, machineArgument, positiveNumber, viewOf, wholeNumber } from './options.ts'

export function runCommand(invocation: Invocation): Command {
  return new Command('run')
    .summary('run a command on a machine that goes on without you; its exit status is the command’s')
    .argument('<claim-or-environment>', machineArgument)
    .argument(
      '<command...>',
      'after --: one word is a line of shell, several are a program and its arguments',
    )
    .option('--name <name>', 'by default one is made up')
    .option('-d, --detach', 'end as soon as it is asked for, and print its name')
    .option('--folder <path>', 'where it runs; by default the first repository, else /home')
    .option('--user <user>', 'a user of the guest; by default root')
    .option('--var <name=value>', 'a variable; repeat for several', addPair('a variable', 'NAME=VALUE'))
    .option('--secret <name>', 'a secret of the project, given as a variable; repeat for several', collect)
    .option('--deadline <span>', 'how long it may take, as in 90s, 30m or 2h', span)
    .option('--memory <MiB>', 'how much memory it may use', wholeNumber(4, 1_048_576))
    .option('--cpus <number>', 'how many processors it may use, as in 0.5', positiveNumber)
    .option('-l, --label <key=value>', 'repeat for several', addLabel)
    .option('--raw', 'print what it prints as it is, with what your terminal obeys')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth run claim-0b8a11 -- make test',
        "hearth run claim-0b8a11 --detach --name nightly -- 'make all && make publish'",
        'hearth logs -f claim-0b8a11/nightly',
      ),
    )
    .action(async (reference: string, words: string[], options: RunOptions) => {
      const view = viewOf(invocation)
      const { kind, resource } = await findMachine(view, reference)
      const place = kind === 'claim' ? { claim: resource.metadata.id } : { environment: resource.metadata.id }
      const task = await view.client.tasks.create(
        {
          ...(options.name === undefined ? {} : { name: options.name }),
          labels: options.label ?? {},
          spec: {
            ...place,
            command: remoteCommand(words),
            ...(options.folder === undefined ? {} : { folder: options.folder }),
            ...(options.user === undefined ? {} : { user: options.user }),
            ...(options.deadline === undefined ? {} : { deadlineSeconds: options.deadline }),
            variables: options.var ?? {},
            secrets: options.secret ?? [],
            memoryMebibytes: options.memory ?? null,
            cpus: options.cpus ?? null,
          },
        },
        { signal: view.signal },
      )
      const name = `${reference}/${task.metadata.name}`
      if (options.detach === true) {
        show(invocation.terminal, options.output, task, () => name)
        return
      }
      const { terminal } = invocation
      try {
        const write = options.raw === true ? terminal.verbatim : terminal.raw
        await followLog(view, task, { follow: true, write })
        view.signal.throwIfAborted()
      } catch (error) {
        if (view.signal.aborted)
          terminal.note(`it runs on: \`hearth logs -f ${name}\` goes on, \`hearth stop ${name}\` ends it`)
        throw error
      }
      endAs(await view.client.tasks.get(task.metadata.id, { signal: view.signal }))
    })
}

const collect = (name: string, names: string[] = []): string[] => [...new Set([...names, name])]

interface RunOptions {
  name?: string
  detach?: boolean
  folder?: string
  user?: string
  var?: Record<string, string>
  secret?: string[]
  deadline?: number
  memory?: number
  cpus?: number
  label?: Record<string, string>
  raw?: boolean
  output: Format
}
