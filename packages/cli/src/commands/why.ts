import type { HearthClient } from '@hearth/client'
import { type ExplainedKind, type Explanation, kinds, kindsWith } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { goneIsNull } from '../kinds/gone-is-null.ts'
import { kindNamed } from '../kinds/kinds.ts'
import { explanationText } from '../output/explanation-text.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { badInput, examples } from './options.ts'

interface Explained {
  kind: ExplainedKind
  /** The resource as written on the command line. */
  word: string
  explain(reference: string): Promise<Explanation>
}

const wordOf = (kind: ExplainedKind) => kinds[kind].shortNoun.replaceAll(' ', '-')
const explainedWords = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(
  kindsWith('isExplained').map(wordOf),
)

export function whyCommand(invocation: Invocation): Command {
  return new Command('why')
    .summary(`say why a ${explainedWords} is as it is`)
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
        second === undefined ? await explainAny(all, first) : await kindMeant(all, first).explain(second)
      const now = invocation.clock.now()
      show(invocation.terminal, output, explanation, () => explanationText(explanation, now))
    })
}

function explainedKinds(hearth: HearthClient, signal: AbortSignal): Explained[] {
  return kindsWith('isExplained').map((kind) => ({
    kind,
    word: wordOf(kind),
    explain: (id) => hearth.resources(kind).why(id, { signal }),
  }))
}

function kindMeant(all: readonly Explained[], word: string): Explained {
  const { eventKind } = kindNamed(word)
  const meant = all.find(({ kind }) => kind === eventKind)
  if (meant !== undefined) return meant
  throw badInput('KIND', word, `one of ${all.map((explained) => explained.word).join(', ')}`)
}

/** The one resource of any kind with this id or name. */
async function explainAny(all: readonly Explained[], reference: string): Promise<Explanation> {
  const found = await Promise.all(
    all.map(async ({ word, explain }) => ({ word, explanation: await explain(reference).catch(goneIsNull) })),
  )
  const holders = found.flatMap(({ word, explanation }) =>
    explanation === null ? [] : { word, explanation },
  )
  const [only] = holders
  if (only === undefined) {
    throw new HearthError('not_found', `no ${explainedWords} has the name or id ${reference}`)
  }
  if (holders.length === 1) return only.explanation
  const words = holders.map(({ word }) => `hearth why ${word} ${reference}`)
  throw new HearthError('conflict', `several things are called ${reference}: ${words.join(', or ')}`)
}
