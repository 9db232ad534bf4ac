import type { Rule } from './check/history.ts'
import type { Break } from './children/messages.ts'
import { sumCounts } from './counts.ts'
import { faultKinds } from './plan/draw-faults.ts'
import type { Outcome } from './run.ts'
import type { Runs } from './run-all.ts'

const mostShown = 12

/** Everything that is needed to look into a failed run and to repeat it. */
export function reportFailure(
  { plan, violations, folder }: Outcome,
  given: Pick<Runs, 'break' | 'keep'>,
): string {
  const broken = given.break === null ? '' : ` --break ${given.break}`
  const lines = [
    `seed ${plan.seed}: ${violations.length} violations; again with: pnpm chaos --seed ${plan.seed} --runs 1${broken}`,
    ...violations.slice(0, mostShown).map(({ rule, message }) => `  VIOLATION ${rule}: ${message}`),
    ...(violations.length > mostShown ? [`  and ${violations.length - mostShown} more`] : []),
    ...plan.faults.map((fault) => `  fault ${JSON.stringify(fault)}`),
    ...plan.subjects.map(
      ({ name, actions }) => `  ${name}: ${actions.map((action) => JSON.stringify(action)).join(' ')}`,
    ),
    ...(given.keep ? [`  logs: ${folder}`] : []),
  ]
  return lines.join('\n')
}

export function printTable(outcomes: readonly Outcome[], seconds: number): void {
  const violations = outcomes.flatMap((outcome) => outcome.violations)
  const rests = outcomes.map(({ restSeconds }) => restSeconds).sort((a, b) => a - b)
  const rest = (share: number) =>
    (rests[Math.min(rests.length - 1, Math.floor(rests.length * share))] ?? 0).toFixed(1)
  const sum = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0)
  const rows: [string, string | number][] = [
    ['runs', outcomes.length],
    ['seconds', seconds.toFixed(0)],
    ['processes that died', sum(({ deaths }) => deaths)],
    ['answers of 500 and above, asked again', sum(({ faultAnswers }) => faultAnswers)],
    ['seconds to rest after the faults, median', rest(0.5)],
    ['seconds to rest after the faults, p99', rest(0.99)],
    ...sumCounts(outcomes.map(({ counts }) => counts)),
    ...faultKinds.map((kind): [string, number] => [
      `fault: ${kind}`,
      sum(({ plan }) => plan.faults.filter((fault) => fault.kind === kind).length),
    ]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(width)}  ${value}\n`)
  process.stdout.write(`${violations.length} violations\n${failedSeeds(outcomes)}`)
}

/** Repeated at the end, where the output of thousands of runs does not hide them. */
export function failedSeeds(outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ violations }) => violations.length > 0)
  return failed
    .map(({ plan, violations }) => {
      const [first] = violations
      return `failed: pnpm chaos --seed ${plan.seed} --runs 1 (${first?.rule}: ${first?.message.split('\n')[0]})\n`
    })
    .join('')
}

/** The check that must find each break. */
const expected: Readonly<Record<Break, Rule>> = {
  'double-claim': 'double claim',
  'lost-order': 'lost intent',
  orphan: 'orphan',
}

/** Whether the break took place and the checker gave it the right name. */
export function isFound(chosen: Break, outcomes: readonly Outcome[]): boolean {
  return outcomes.some(
    ({ broken, violations }) => broken && violations.some(({ rule }) => rule === expected[chosen]),
  )
}

/**
 * Reports whether the checker found the break; a break that was not found or did not take place is an error of its
 * own.
 */
export function breaksFound(chosen: Break, outcomes: readonly Outcome[]): void {
  const found = isFound(chosen, outcomes)
  const took = outcomes.filter(({ broken }) => broken).length
  process.stdout.write(
    found
      ? `the break ${chosen} took place in ${took} runs and was found: ${expected[chosen]}\n`
      : `the break ${chosen} took place in ${took} runs and was NOT found\n`,
  )
  if (!found) process.exitCode = 2
}
