import { environmentPhases, environmentPhaseTable, kinds, type Wait } from '@hearth/contract'

const head = `# Phases

Every phase of every kind: what it waits for, for how long, and for a machine where it may go from there. Drawn from the
code (\`packages/contract/src\`): after a change there, \`vitest run --project structure documents -u\` draws it anew.
`

/** The content of docs/phases.md, made from the code. */
export function phaseTables(): string {
  const withPhases = Object.values(kinds).filter(({ waits }) => Object.keys(waits).length > 0)
  const sections = withPhases.map(({ kind, noun, summary, waits }) =>
    [
      `## ${noun.charAt(0).toUpperCase()}${noun.slice(1)}`,
      '',
      `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
      '',
      ...(kind === 'Environment' ? [...drawing(), ''] : []),
      ...table(waits),
      '',
    ].join('\n'),
  )
  return [head, ...sections].join('\n')
}

/** The total transition table as a state diagram. */
function drawing(): string[] {
  const moves = environmentPhases.flatMap((from) => {
    const { to } = environmentPhaseTable[from]
    return to.length === 0 ? [`  ${from} --> [*]`] : to.map((phase) => `  ${from} --> ${phase}`)
  })
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> ${environmentPhases[0]}`, ...moves, '```']
}

function table(waits: Readonly<Record<string, Wait>>): string[] {
  const rows = Object.entries(waits).map(([phase, wait]) => `| ${phase} | ${waited(wait)} | ${until(wait)} |`)
  return ['| phase | waits for | until |', '|---|---|---|', ...rows]
}

const waited = ({ waitsFor }: Wait) => waitsFor ?? 'nothing'

function until(wait: Wait): string {
  if (wait.waitsFor === null) return 'a wish or an event moves it on'
  return wait.deadlineSeconds === null ? wait.because : `${inWords(wait.deadlineSeconds)} have passed`
}

function inWords(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600} hours`
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`
}
