import type { HearthClient } from '@hearth/client'
import type { Claim } from '@hearth/contract'
import { Command, Option } from 'commander'
import { followBinding } from '../following/follow-binding.ts'
import { client, type Invocation, stateFolder } from '../invocation.ts'
import type { Names } from '../kinds/kind.ts'
import { named, namesOf } from '../kinds/names.ts'
import { claimResult } from '../output/claim-result.ts'
import { fields } from '../output/describe.ts'
import { formatDuration } from '../output/duration.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { lifeFields } from '../output/life-text.ts'
import { type TakenClaim, takeClaim } from '../ssh/take-claim.ts'
import { type BindingOptions, bindingWish, withBindingOptions } from './claim-binding.ts'
import { addVolume, attachToClaim, findVolumes, runnerOf, type VolumeWish } from './claim-volumes.ts'
import { addLifeOptions, type LifeOptions, lifeOf } from './life-options.ts'
import { examples, viewOf, wholeNumber } from './options.ts'

export function claimCommand(invocation: Invocation): Command {
  const command = new Command('claim')
    .summary('take a ready environment of a project’s pool')
    .argument('<project>', 'name or id')
    .option('--class <name>', 'which pool, where the project has several')
    .addOption(
      new Option('--fallback <fallback>', 'when none is ready: make one (cold) or say no (refuse, exit 4)')
        .choices(['cold', 'refuse'])
        .default('cold'),
    )
    .option(
      '--wait <seconds>',
      'how long to wait for an environment that has to be made; 0 does not wait',
      wholeNumber(0, 86_400),
      600,
    )
  return addLifeOptions(withBindingOptions(command))
    .option(
      '--volume <name[:path]>',
      'take a machine on the host of this volume, the project’s own or another, and attach it; repeat for several',
      addVolume,
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth claim shop',
        'hearth claim shop --class large --fallback refuse',
        'hearth claim shop --lifetime 8h --idle 30m',
        'hearth claim shop -o json | jq -r .name',
        'hearth claim shop --volume data:/srv/data',
        'hearth claim shop --ref shop=pull/12 --var STAGE=review --secret API_TOKEN --start "make run"',
      ),
    )
    .action(async (project: string, options: ClaimOptions) => {
      const folder = stateFolder(invocation)
      const hearth = client(invocation)
      const { signal } = invocation
      const view = viewOf(invocation)
      const volumes = await findVolumes(view, options.volume ?? [], project)
      const taken = await takeClaim(
        hearth,
        {
          ...{ project, environmentClass: options.class, fallback: options.fallback },
          ...{ waitSeconds: options.wait, life: lifeOf(options), runner: runnerOf(volumes) },
          binding: await bindingWish(options, invocation),
        },
        {
          ...{ stateFolder: folder, variables: invocation.config.variables, signal },
          ...(options.output === 'table' ? { follow: follower(hearth, invocation) } : {}),
        },
      )
      for (const found of volumes)
        await attachToClaim(view, { found, claim: taken.claim.metadata }, invocation)
      const result = claimResult(taken, folder)
      const names = await namesOf(hearth.environments, [result.environmentId], signal)
      const now = invocation.clock.now()
      show(invocation.terminal, options.output, result, () => claimText(taken, result, names, now))
    })
}

function claimText(
  taken: TakenClaim,
  result: ReturnType<typeof claimResult>,
  names: Names,
  now: Date,
): string {
  const { address } = result
  const how = result.source === 'cold' ? 'made for this claim' : 'a ready member of the pool'
  return fields([
    ['Claim', result.name],
    ['Machine', `${named(names, result.environmentId)} (${how})`],
    ['Address', address === null ? 'still being made' : `${address.user}@${address.host}:${address.port}`],
    ['Shell', `hearth ssh ${result.name}`],
    ['With ssh', result.ssh],
    ['Until', result.expiresAt === null ? null : `${result.expiresAt}; hearth ssh renews it`],
    ...lifeFields(taken.claim.status.life, now),
    ['Took', formatDuration(taken.milliseconds)],
  ])
}

function follower(hearth: HearthClient, { terminal, clock }: Invocation) {
  return (claim: Claim, signal: AbortSignal) => followBinding(hearth, claim, { terminal, clock, signal })
}

interface ClaimOptions extends LifeOptions, BindingOptions {
  class?: string
  fallback: 'cold' | 'refuse'
  wait: number
  volume?: VolumeWish[]
  output: Format
}
