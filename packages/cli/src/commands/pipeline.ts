import type { Pipeline } from '@hearth/contract'
import { Command, Option } from 'commander'
import { followPipeline, type PipelineGoal } from '../following/follow-pipeline.ts'
import type { Invocation } from '../invocation.ts'
import type { View } from '../kinds/kind.ts'
import { pipelineKind } from '../kinds/pipeline.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { examples, viewOf } from './options.ts'
import { createCommand } from './pipeline-create.ts'
import { eventsCommand, logsCommand, queryCommand, sendCommand } from './pipeline-reading.ts'

const pipelineArgument = 'name or id'

/** Programs that are compiled, run, paused and suspended. */
export function pipelineCommand(invocation: Invocation): Command {
  return new Command('pipeline')
    .summary('make, start, pause, query and stop pipelines: programs with storage that stays')
    .addCommand(createCommand(invocation))
    .addCommand(startCommand(invocation))
    .addCommand(pauseCommand(invocation))
    .addCommand(resumeCommand(invocation))
    .addCommand(approveCommand(invocation))
    .addCommand(stopCommand(invocation))
    .addCommand(clearCommand(invocation))
    .addCommand(sendCommand(invocation))
    .addCommand(queryCommand(invocation))
    .addCommand(logsCommand(invocation))
    .addCommand(eventsCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(showCommand(invocation))
    .addCommand(deleteCommand(invocation))
}

interface WaitOptions {
  wait: boolean
  output: Format
}
interface StartOptions extends WaitOptions {
  as: 'running' | 'paused' | 'standby'
  bootstrap: 'await_approval' | 'allow' | 'reject'
  dismissError?: boolean
}

function startCommand(invocation: Invocation): Command {
  const command = new Command('start')
    .summary('have a pipeline run, as soon as its program is compiled')
    .argument('<pipeline>', pipelineArgument)
    .addOption(new Option('--as <status>').choices(['running', 'paused', 'standby']).default('running'))
    .addOption(
      new Option(
        '--bootstrap <policy>',
        'what to do where its program is not the one that made what is stored',
      )
        .choices(['await_approval', 'allow', 'reject'])
        .default('await_approval'),
    )
    .option('--dismiss-error', 'forget the error with which it stopped')
  return waiting(command, 'hearth pipeline start orders', 'hearth pipeline start orders --as paused').action(
    async (reference: string, { as, bootstrap, dismissError, ...options }: StartOptions) => {
      const { client, signal } = viewOf(invocation)
      const body = { initial: as, bootstrapPolicy: bootstrap, dismissError: dismissError === true }
      await end(invocation, await client.pipelines.start(reference, body, { signal }), as, options)
    },
  )
}

const pauseCommand = (invocation: Invocation) =>
  plainCommand(invocation, {
    name: 'pause',
    summary: 'have a running pipeline stand still',
    goal: 'paused',
    ask: ({ client, signal }, reference) => client.pipelines.pause(reference, { signal }),
  })
const resumeCommand = (invocation: Invocation) =>
  plainCommand(invocation, {
    name: 'resume',
    summary: 'have a paused pipeline go on',
    goal: 'running',
    ask: ({ client, signal }, reference) => client.pipelines.resume(reference, { signal }),
  })
const approveCommand = (invocation: Invocation) =>
  plainCommand(invocation, {
    name: 'approve',
    summary: 'have a changed program go on with what another one has stored',
    goal: 'running',
    ask: ({ client, signal }, reference) => client.pipelines.approve(reference, {}, { signal }),
  })
const clearCommand = (invocation: Invocation) =>
  plainCommand(invocation, {
    name: 'clear',
    summary: 'remove what a stopped pipeline has stored, for good',
    goal: 'cleared',
    ask: ({ client, signal }, reference) => client.pipelines.clear(reference, { signal }),
  })

function plainCommand(
  invocation: Invocation,
  of: {
    name: string
    summary: string
    goal: PipelineGoal
    ask(view: View, reference: string): Promise<Pipeline>
  },
): Command {
  const command = new Command(of.name).summary(of.summary).argument('<pipeline>', pipelineArgument)
  return waiting(command, `hearth pipeline ${of.name} orders`).action(
    async (reference: string, options: WaitOptions) => {
      await end(invocation, await of.ask(viewOf(invocation), reference), of.goal, options)
    },
  )
}

function stopCommand(invocation: Invocation): Command {
  const command = new Command('stop')
    .summary('have a pipeline store where it is, and give its machine back')
    .argument('<pipeline>', pipelineArgument)
    .option('--force', 'at once, without storing where it is')
  return waiting(command, 'hearth pipeline stop orders', 'hearth pipeline stop orders --force').action(
    async (reference: string, { force, ...options }: WaitOptions & { force?: boolean }) => {
      const { client, signal } = viewOf(invocation)
      const asked = await client.pipelines.stop(reference, { force: force === true }, { signal })
      await end(invocation, asked, 'stopped', options)
    },
  )
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list pipelines')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth pipeline list'))
    .action(async ({ output }: { output: Format }) => {
      const { resources, table } = await pipelineKind.list(viewOf(invocation), {})
      show(invocation.terminal, output, resources, table)
    })
}

function showCommand(invocation: Invocation): Command {
  return new Command('show')
    .summary('show a pipeline, with the faults of its program')
    .argument('<pipeline>', pipelineArgument)
    .addOption(outputOption())
    .addHelpText('after', examples('hearth pipeline show orders'))
    .action(async (reference: string, { output }: { output: Format }) => {
      const { resource, text } = await pipelineKind.one(viewOf(invocation), reference)
      show(invocation.terminal, output, resource, text)
    })
}

function deleteCommand(invocation: Invocation): Command {
  return new Command('delete')
    .summary('delete a pipeline that is stopped, and whose storage is cleared')
    .argument('<pipeline>', pipelineArgument)
    .addHelpText('after', examples('hearth pipeline delete orders'))
    .action(async (reference: string) => {
      const { client, signal, terminal } = viewOf(invocation)
      await client.pipelines.delete(reference, { signal })
      terminal.out(`pipeline ${reference} deleted`)
    })
}

function waiting(command: Command, ...lines: string[]): Command {
  return command
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText('after', examples(...lines))
}

/** Waits for what was asked of a pipeline, where that is wanted, and shows it. */
async function end(
  invocation: Invocation,
  asked: Pipeline,
  goal: PipelineGoal,
  { wait, output }: WaitOptions,
): Promise<void> {
  const view = viewOf(invocation)
  const pipeline = wait ? await followPipeline(view, asked, goal, invocation) : asked
  const { resource, text } = await pipelineKind.one(view, pipeline.metadata.id)
  show(invocation.terminal, output, resource, text)
}
