import type { HearthClient } from '@hearth/client'
import type { ExplainedKind, Explanation } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import { Command } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { goneIsNull } from '../kinds/environment.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { explanationText } from '../output/explanation-text.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { badInput, examples } from './options.ts'

interface Explained {
  kind: ExplainedKind
  /** As it is written on the command line. */
  word: string
  explain(id: string): Promise<Explanation>
  /** The ids of those with this name. */
  named(name: string): Promise<string[]>
}

export function whyCommand(invocation: Invocation): Command {
  return new Command('why')
    .summary('say why an environment, claim, pool or runner is as it is')
    .argument('<name-or-id>', 'or its kind, before the name')
    .argument('[name-or-id]')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples('hearth why shop-0b8a11', 'hearth why pool shop-small', 'hearth why rack-7'),
    )
    .action(async (first: string, second: string | undefined, { output }: { output: Format }) => {
      const all = explainedKinds(client(invocation), invocation.signal)
      const explanation =
        second === undefined ? await explainAny(all, first) : await explainOne(kindMeant(all, first), second)
      const now = invocation.clock.now()
      show(invocation.terminal, output, explanation, () => explanationText(explanation, now))
    })
}

function explainedKinds(hearth: HearthClient, signal: AbortSignal): Explained[] {
  const ids = (all: { metadata: { id: string } }[]) => all.map(({ metadata }) => metadata.id)
  return [
    {
      kind: 'Environment',
      word: 'environment',
      explain: (id) => hearth.environments.why(id, { signal }),
      named: async (name) => {
        const live = ids(await hearth.environments.listAll({ name }, { signal }))
        if (live.length > 0) return live
        return ids(await hearth.environments.listAll({ name, phase: 'deleted' }, { signal }))
      },
    },
    {
      kind: 'Claim',
      word: 'claim',
      explain: (id) => hearth.claims.why(id, { signal }),
      named: async (name) => ids(await hearth.claims.listAll({ name }, { signal })),
    },
    {
      kind: 'WarmPool',
      word: 'pool',
      explain: (id) => hearth.warmPools.why(id, { signal }),
      named: async (name) => ids(await hearth.warmPools.listAll({ name }, { signal })),
    },
    {
      kind: 'Runner',
      word: 'runner',
      explain: (id) => hearth.runners.why(id, { signal }),
      named: async (name) => ids(await hearth.runners.listAll({ name }, { signal })),
    },
  ]
}

function kindMeant(all: readonly Explained[], word: string): Explained {
  const { eventKind } = kindNamed(word)
  const meant = all.find(({ kind }) => kind === eventKind)
  if (meant !== undefined) return meant
  throw badInput('KIND', word, all.map((explained) => explained.word).join(', '))
}

async function explainOne(explained: Explained, reference: string): Promise<Explanation> {
  if (isId(reference)) return await explained.explain(reference)
  const found = await explained.named(reference)
  const [id] = found
  if (id === undefined) throw new HearthError('not_found', `there is no ${explained.word} ${reference}`)
  if (found.length === 1) return await explained.explain(id)
  throw new HearthError(
    'conflict',
    `${found.length} ${explained.word}s are called ${reference}; give the id: ${found.join(', ')}`,
  )
}

/** The one thing with this id or name, whatever its kind. */
async function explainAny(all: readonly Explained[], reference: string): Promise<Explanation> {
  if (isId(reference)) {
    for (const { explain } of all) {
      const explanation = await explain(reference).catch(goneIsNull)
      if (explanation !== null) return explanation
    }
    throw new HearthError('not_found', `nothing that can be explained has the id ${reference}`)
  }
  const found = await Promise.all(all.map(async (one) => ({ one, ids: await one.named(reference) })))
  const holders = found.filter(({ ids }) => ids.length > 0)
  const [first] = holders
  if (first === undefined)
    throw new HearthError('not_found', `no environment, claim, pool or runner is called ${reference}`)
  if (holders.length === 1) return await explainOne(first.one, reference)
  const words = holders.map(({ one }) => `hearth why ${one.word} ${reference}`)
  throw new HearthError('conflict', `several things are called ${reference}: ${words.join(', or ')}`)
}
