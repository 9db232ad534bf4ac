import { type Explanation, kinds } from '@hearth/contract'
import { formatAge } from './duration.ts'

/** The explaining sentence, the facts it is based on with their times, and what comes next. */
export function explanationText(explanation: Explanation, now: Date): string {
  const { kind, name, phase, sentence, evidence, next } = explanation
  const lines = evidence.map(({ what, at }) => (at === null ? `  ${what}` : `  ${what} (${told(at, now)})`))
  return [
    `${kinds[kind].shortNoun} ${name} is ${phase}: ${sentence}.`,
    ...(lines.length === 0 ? [] : ['', ...lines]),
    ...(next === null ? [] : ['', `Next: ${next}.`]),
  ].join('\n')
}

function told(at: string, now: Date): string {
  const ahead = new Date(at).getTime() > now.getTime()
  return ahead ? at : `${at}, ${formatAge(at, now)} ago`
}
