import type { Records } from './check/history.ts'

/** How often something took place in a run, by what the table of a campaign calls it. */
export type Counts = Readonly<Record<string, number>>

/** What became of prebuilds and tasks, and what machines started from: shows whether the faults have met any. */
export function countRecords({
  prebuilds,
  environments,
  processes,
  routes,
  volumes,
  deployments,
  pipelines,
}: Records): Counts {
  const templates = prebuilds.flatMap((prebuild) => prebuild.templates)
  const started = environments.flatMap(({ chosenPrebuildId, prebuildId, startedFrom }) =>
    chosenPrebuildId === null || startedFrom === null
      ? []
      : [`${prebuildId === null ? 'machines' : 'prebuilds'} started from a prebuild’s ${startedFrom.from}`],
  )
  return tally([
    ...prebuilds.map(({ phase }) => `prebuilds: ${phase}`),
    ...templates.map(({ phase }) => `templates with memory: ${phase}`),
    ...started,
    ...processes.map(({ kind, phase }) => `${kind}s: ${phase}`),
    ...routes.map(({ phase }) => `routes: ${phase}`),
    ...volumes.map(({ phase }) => `volumes: ${phase}`),
    ...deployments.map(({ phase }) => `deployments: ${phase}`),
    ...pipelines.map(
      ({ resources, error }) => `pipelines: ${resources}${error === null ? '' : ' with an error'}`,
    ),
  ])
}

export function sumCounts(all: readonly Counts[]): [string, number][] {
  const sums = new Map<string, number>()
  for (const [name, count] of all.flatMap((counts) => Object.entries(counts)))
    sums.set(name, (sums.get(name) ?? 0) + count)
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1))
}

function tally(names: readonly string[]): Counts {
  return Object.fromEntries(sumCounts(names.map((name) => ({ [name]: 1 }))))
}
