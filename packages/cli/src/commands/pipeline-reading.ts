import { readFile } from 'node:fs/promises'
import type { PipelineEvent } from '@hearth/contract'
import { Command, Option } from 'commander'
import type { Invocation } from '../invocation.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { LastLines } from '../output/last-lines.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { renderTable } from '../output/table.ts'
import { badInput, examples, viewOf, wholeNumber } from './options.ts'

const pipelineArgument = 'name or id'

export function sendCommand(invocation: Invocation): Command {
  return new Command('send')
    .summary('send the rows of a file into a table of a running pipeline: all of them, or none')
    .argument('<pipeline>', pipelineArgument)
    .argument('<table>', 'of its program')
    .argument('<file>', 'a JSON object a line, or rows of CSV; 1 MiB at most')
    .addOption(new Option('--format <format>').choices(['json', 'csv']).default('json'))
    .option('--force', 'into a paused one too')
    .addHelpText('after', examples('hearth pipeline send orders orders rows.ndjson'))
    .action(
      async (
        reference: string,
        table: string,
        file: string,
        { format, force }: { format: 'json' | 'csv'; force?: boolean },
      ) => {
        const { client, signal, terminal } = viewOf(invocation)
        const rows = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
          throw badInput('FILE', file, `a file that can be read (${cause.code ?? cause.message})`)
        })
        const options = { format, force: force === true, signal }
        const answer = await client.pipelines.send(reference, table, rows, options)
        terminal.out(JSON.stringify(answer))
      },
    )
}

export function queryCommand(invocation: Invocation): Command {
  return new Command('query')
    .summary('what a SELECT answers in a running pipeline')
    .argument('<pipeline>', pipelineArgument)
    .argument('<sql>', 'a SELECT')
    .addOption(
      new Option('--format <format>', 'a table, or a JSON object a row')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addHelpText('after', examples(`hearth pipeline query orders 'SELECT count(*) FROM orders'`))
    .action(async (reference: string, sql: string, { format }: { format: 'text' | 'json' }) => {
      const { client, signal, terminal } = viewOf(invocation)
      for await (const text of client.pipelines.query(reference, sql, { format, signal })) terminal.raw(text)
    })
}

export function logsCommand(invocation: Invocation): Command {
  return new Command('logs')
    .summary('what a pipeline prints, or the compiler of its program')
    .argument('<pipeline>', pipelineArgument)
    .option('-f, --follow', 'go on until it is at rest, or Ctrl-C', false)
    .option('--tail <lines>', 'so many of the last lines', wholeNumber(0, 1_000_000), 100)
    .addHelpText('after', examples('hearth pipeline logs orders', 'hearth pipeline logs orders -f'))
    .action(async (reference: string, { follow, tail }: { follow: boolean; tail: number }) => {
      const { client, signal, terminal } = viewOf(invocation)
      const kept = new LastLines(tail)
      for await (const { text } of client.pipelines.logs(reference, { signal })) kept.add(text)
      terminal.raw(kept.text)
      if (!follow) return
      // What came while the end was looked for is printed too.
      for await (const { text } of client.pipelines.logs(reference, { follow, signal })) {
        const news = kept.newsOf(text)
        if (news !== '') terminal.raw(news)
      }
    })
}

export function eventsCommand(invocation: Invocation): Command {
  return new Command('events')
    .summary('how a pipeline was, the newest first')
    .argument('<pipeline>', pipelineArgument)
    .option('--limit <events>', 'so many of them', wholeNumber(1, 720), 20)
    .addOption(outputOption())
    .addHelpText('after', examples('hearth pipeline events orders', 'hearth pipeline events orders -o json'))
    .action(async (reference: string, { limit, output }: { limit: number; output: Format }) => {
      const { client, signal, terminal } = viewOf(invocation)
      const events = await client.pipelines.events(reference, limit, { signal })
      show(terminal, output, events, () =>
        renderTable({
          columns: ['AT', 'MACHINE', 'WANTED', 'RUNTIME', 'WANTED', 'PROGRAM', 'STORAGE', 'ERROR'],
          rows: events.map((event) => rowOf(event, (word) => terminal.tone(phaseTone(word), word))),
        }),
      )
    })
}

const rowOf = (event: PipelineEvent, toned: (word: string) => string): string[] => [
  event.recordedAt,
  toned(event.resourcesStatus),
  event.resourcesDesiredStatus,
  event.runtimeStatus === null ? '-' : toned(event.runtimeStatus),
  event.runtimeDesiredStatus ?? '-',
  event.programStatus,
  event.storageStatus,
  event.hasError ? (event.error?.code ?? 'yes') : '-',
]
