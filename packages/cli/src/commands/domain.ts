import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import type { Invocation } from '../invocation.ts'
import { fields } from '../output/describe.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { examples, viewOf } from './options.ts'

interface DomainOptions {
  none: boolean
  output: Format
}

export function domainCommand(invocation: Invocation): Command {
  return new Command('domain')
    .summary('give a route a host name of your own, or show how that fares')
    .argument('<route>', 'name or id')
    .argument('[domain]', 'as in shop.example.com; by default only what is there is shown')
    .option('--none', 'take it away', false)
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth domain web-claim-0b8a11 shop.example.com',
        'hearth domain web-claim-0b8a11',
        'hearth domain web-claim-0b8a11 --none',
      ),
    )
    .action(async (reference: string, domain: string | undefined, options: DomainOptions) => {
      if (domain !== undefined && options.none)
        throw new HearthError('invalid', `give either ${domain} or --none, not both`)
      const { client, signal } = viewOf(invocation)
      const customDomain = options.none ? null : domain
      const route =
        customDomain === undefined
          ? await client.routes.get(reference, { signal })
          : await client.routes.update(reference, { spec: { customDomain } }, { signal })
      const { spec, status } = route
      show(invocation.terminal, options.output, route, () =>
        fields([
          ['Route', route.metadata.name],
          ['Domain', spec.customDomain ?? 'none'],
          ['State', status.domain?.state ?? null],
          ['Cause', status.domain?.cause ?? null],
          ['To do', toDo(spec.customDomain, status.host, status.domain?.state === 'active')],
        ]),
      )
    })
}

function toDo(domain: string | null, host: string | null, isServed: boolean): string | null {
  if (domain === null || isServed) return null
  return `make ${domain} a CNAME of ${host ?? 'the host name of the route, which is known when its machine is placed'}`
}
