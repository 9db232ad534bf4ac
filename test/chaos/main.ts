import { parseArguments } from './arguments.ts'
import { breaksFound, printTable, reportFailure } from './report.ts'
import { runAll } from './run-all.ts'

const given = parseArguments(process.argv.slice(2))
const began = performance.now()
const outcomes = await runAll(given, (outcome, done) => {
  if (outcome.violations.length > 0) process.stdout.write(`${reportFailure(outcome, given)}\n`)
  if (done % 20 === 0 || done === given.seeds.length)
    process.stderr.write(`${done} of ${given.seeds.length} runs\n`)
})
printTable(outcomes, (performance.now() - began) / 1_000)
if (outcomes.some(({ violations }) => violations.length > 0)) process.exitCode = 1
if (given.break !== null) breaksFound(given.break, outcomes)
