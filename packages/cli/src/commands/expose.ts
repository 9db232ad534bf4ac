import { type Route, type RouteAccess, routeAccessSchema } from '@hearth/contract'
import { Command, Option } from 'commander'
import { followRoute } from '../following/follow-route.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine, placeOf } from '../kinds/find-machine.ts'
import { fields } from '../output/describe.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { examples, machineArgument, viewOf, wholeNumber } from './options.ts'

interface ExposeOptions {
  name: string
  access: RouteAccess
  wait: boolean
  output: Format
}

export function exposeCommand(invocation: Invocation): Command {
  return new Command('expose')
    .summary('give a port of a machine an address for browsers')
    .argument('<claim-or-environment>', machineArgument)
    .argument('<port>', 'of the machine', wholeNumber(1, 65_535))
    .option('--name <name>', 'what its host name begins with, before that of the machine', 'web')
    .addOption(
      new Option('--access <access>', 'members of the organization, whoever has its token, or everybody')
        .choices(routeAccessSchema.options)
        .default('private'),
    )
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth expose claim-0b8a11 3000',
        'hearth expose claim-0b8a11 8080 --name api --access token',
        'hearth open web-claim-0b8a11',
      ),
    )
    .action(async (reference: string, port: number, options: ExposeOptions) => {
      const view = viewOf(invocation)
      const { client, signal } = view
      const machine = await findMachine(view, reference)
      const { access } = options
      const asked = await client.routes.create(
        {
          name: `${options.name}-${machine.resource.metadata.name}`,
          spec: { ...placeOf(machine), port, access },
        },
        { signal },
      )
      const route = options.wait ? await followRoute(view, asked, invocation) : asked
      const token = access === 'token' ? await client.routes.token(route.metadata.id, { signal }) : undefined
      const result = { ...route, ...(token === undefined ? {} : { token: token.token, tokenUrl: token.url }) }
      show(invocation.terminal, options.output, result, () =>
        fields([
          ['Route', route.metadata.name],
          ['Address', route.status.url ?? 'not known before its machine is placed'],
          ['Leads to', `port ${port} of ${reference}`],
          ['Token', token === undefined ? null : `${token.token} (shown once)`],
          ['In a browser', wayIn(route, token?.url ?? null)],
        ]),
      )
    })
}

function wayIn({ metadata, spec, status }: Route, tokenUrl: string | null): string | null {
  if (spec.access === 'private') return `hearth open ${metadata.name}`
  return spec.access === 'token' ? tokenUrl : status.url
}
