import type { Runner } from '@hearth/contract'
import { Command } from 'commander'
import { deleteEnvironments, switchPoolsOn } from '../dev/delete-environments.ts'
import { startLocalStack } from '../dev/local-stack.ts'
import { ensureBaseImage } from '../images/base-image.ts'
import { type Invocation, stateFolder } from '../invocation.ts'
import { renderTable } from '../output/table.ts'
import { untilAborted } from '../process/until-aborted.ts'
import { examples, wholeNumber } from './options.ts'

export function devCommand(invocation: Invocation): Command {
  return new Command('dev')
    .summary('run everything on this machine until Ctrl-C')
    .description(
      'Runs PostgreSQL, nats-server, the control plane and an agent, with all they keep in the state folder. Machines go on when it ends, and are found again by the next start.',
    )
    .option('--port <port>', 'where the control plane listens, on 127.0.0.1', wholeNumber(1, 65_535), 7_070)
    .option('--synthetic', 'an agent without virtualisation, whose machines are pretended')
    .option('--runners <count>', 'how many agents', wholeNumber(1, 32), 1)
    .option('--no-image', 'do not build the base image when it is missing')
    .option('--delete-environments-on-exit', 'delete every machine before it ends')
    .addHelpText(
      'after',
      examples(
        'hearth dev',
        'hearth dev --synthetic --runners 3',
        'hearth dev --state /tmp/hearth --port 7171',
      ),
    )
    .action(async (options: DevOptions) => {
      const { terminal, signal, config } = invocation
      const folder = stateFolder(invocation)
      const note = (text: string) => terminal.note(text)
      terminal.note(`starting; the state is in ${folder}`)
      const stack = await startLocalStack({
        stateFolder: folder,
        port: options.port,
        runners: options.runners,
        synthetic: options.synthetic === true,
        isRoot: config.isRoot,
        variables: config.variables,
        signal,
        note,
        // The agent tests KVM with the image's kernel, so the image is built first.
        beforeAgents:
          options.synthetic === true || !options.image
            ? undefined
            : () => ensureBaseImage(folder, invocation),
      })
      try {
        await switchPoolsOn(stack.client, folder)
        terminal.out(
          renderTable({
            columns: ['WHAT', 'WHERE', 'PROCESS', 'LOG'],
            rows: stack.parts().map(({ name, where, pid, log }) => [name, where, String(pid ?? '-'), log]),
          }),
        )
        terminal.out(`\nready: ${stack.client.url}  (docs at ${stack.client.url}/docs; Ctrl-C ends it)`)
        for (const line of routeLines(await stack.client.runners.listAll({}))) terminal.out(line)
        await untilAborted(signal)
        terminal.note('stopping')
        if (options.deleteEnvironmentsOnExit === true) {
          await deleteEnvironments(stack.client, { stateFolder: folder, seconds: 120, note })
        }
      } finally {
        await stack.stop()
      }
      terminal.note('stopped')
    })
}

interface DevOptions {
  port: number
  synthetic?: boolean
  runners: number
  image: boolean
  deleteEnvironmentsOnExit?: boolean
}

/** Where routes are served, and how a browser comes to trust them. */
function routeLines(runners: readonly Runner[]): string[] {
  return runners.flatMap(({ metadata, status }) => {
    const { ingress, ingressFault } = status.facts ?? {}
    if (ingressFault !== undefined) return [`no routes on ${metadata.name}: ${ingressFault}`]
    if (ingress === undefined) return []
    const { base, port, rootCertificate } = ingress
    const trust = rootCertificate === undefined ? '' : ` (have your browser trust ${rootCertificate})`
    return [`routes: https://NAME.${base}:${port}${trust}`]
  })
}
