/** Suggested next commands with the names of this run; `hearth` is how the command is called. */
export function nextCommands(run: {
  hearth: string
  claim: string
  project: string
  url: string
  synthetic: boolean
}): string {
  const { hearth } = run
  const inside: readonly (readonly [string, string])[] = run.synthetic
    ? []
    : [
        [`${hearth} ssh ${run.claim}`, 'a shell on the claimed machine'],
        [`${hearth} exec ${run.claim} -- uname -a`, 'one command there'],
      ]
  const lines: readonly (readonly [string, string])[] = [
    ...inside,
    [`${hearth} claim ${run.project}`, 'another machine'],
    [`${hearth} get environments`, 'all machines, and where they are'],
    [`${hearth} watch`, 'every change as it happens'],
    [`${hearth} delete claim ${run.claim}`, 'give the machine back'],
    [`${run.url}/docs`, 'the HTTP interface'],
  ]
  const width = Math.max(...lines.map(([command]) => command.length))
  return [
    'It is up. In another terminal:',
    ...lines.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`),
    'Ctrl-C deletes the machines and stops everything.',
  ].join('\n')
}
