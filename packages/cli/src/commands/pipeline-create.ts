import { readFile } from 'node:fs/promises'
import { pipelineLimits, pipelineToolchains } from '@hearth/contract'
import { Command, Option } from 'commander'
import { followPipeline } from '../following/follow-pipeline.ts'
import type { Invocation } from '../invocation.ts'
import { pipelineKind } from '../kinds/pipeline.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { volumeSize } from '../volume-size.ts'
import { addLabel, badInput, examples, viewOf } from './options.ts'

interface CreateOptions {
  toolchain: (typeof pipelineToolchains)[number]
  check?: string
  build?: string
  run?: string
  class?: string
  storage?: number
  description?: string
  label?: Record<string, string>
  wait: boolean
  output: Format
}

export function createCommand(invocation: Invocation): Command {
  return new Command('create')
    .summary('make a pipeline from the file of its program, and follow it until that is compiled')
    .argument('<name>', 'unique in the organization')
    .argument('<file>', 'of its program')
    .addOption(
      new Option('--toolchain <toolchain>', 'what checks, builds and runs it')
        .choices([...pipelineToolchains])
        .default('sql'),
    )
    .option('--check <line>', 'of the toolchain command: a line of bash that finds faults')
    .option('--build <line>', 'of the toolchain command: a line of bash that makes what runs')
    .option('--run <line>', 'of the toolchain command: a line of bash that runs it')
    .option('--class <class>', 'of the machines that compile and run it; by default small')
    .option('--storage <size>', 'like 10GiB; by default the usual size of a volume', volumeSize)
    .option('--description <text>', 'for people')
    .option('-l, --label <key=value>', 'repeat for several', addLabel)
    .option('--no-wait', 'end as soon as it is made')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth pipeline create orders orders.sql --class web',
        "hearth pipeline create tick tick.py --toolchain command --run 'exec python3 code'",
      ),
    )
    .action(async (name: string, file: string, options: CreateOptions) => {
      const view = viewOf(invocation)
      const { client, signal } = view
      const made = await client.pipelines.create(
        {
          name,
          labels: options.label ?? {},
          spec: {
            ...(options.class === undefined ? {} : { environmentClass: options.class }),
            ...(options.description === undefined ? {} : { description: options.description }),
            program: {
              toolchain: options.toolchain,
              code: await readProgram(file),
              configuration: linesOf(options),
            },
            ...(options.storage === undefined ? {} : { runtime: { storageMebibytes: options.storage } }),
          },
        },
        { signal },
      )
      const pipeline = options.wait ? await followPipeline(view, made, 'compiled', invocation) : made
      const { resource, text } = await pipelineKind.one(view, pipeline.metadata.id)
      show(invocation.terminal, options.output, resource, text)
    })
}

async function readProgram(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw badInput('FILE', file, `a file that can be read (${cause.code ?? cause.message})`)
  })
  if (bytes.length > pipelineLimits.codeBytes)
    throw badInput('FILE', `${bytes.length} bytes`, `at most ${pipelineLimits.codeBytes} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw badInput('FILE', file, 'text in UTF-8')
  }
}

function linesOf({ toolchain, check, build, run }: CreateOptions): Record<string, string> {
  const lines = Object.entries({ check, build, run }).filter(
    (line): line is [string, string] => line[1] !== undefined,
  )
  const [first] = lines
  if (toolchain !== 'command' && first !== undefined)
    throw badInput(`--${first[0]}`, first[1], 'nothing: only the toolchain command has lines of its own')
  if (toolchain === 'command' && run === undefined)
    throw badInput('--run', 'nothing', 'the line of bash that runs the program')
  return Object.fromEntries(lines)
}
