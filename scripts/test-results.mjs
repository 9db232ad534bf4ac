// Reads what vitest's json reporter wrote and prints "passed failed skipped", then a line for each failure.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const results = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const skipped = results.numPendingTests + results.numTodoTests
const failures = results.testResults.flatMap(({ name, status, message, assertionResults }) => {
  const file = relative(process.cwd(), name)
  const failed = assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => `${file} > ${test.fullName}`)
  // A file that cannot be loaded has no tests, and must not count as none failed.
  const whole = status === 'failed' && failed.length === 0
  return whole ? [`${file}: ${message.split('\n')[0]}`] : failed
})
console.log(results.numPassedTests, Math.max(failures.length, results.numFailedTests), skipped)
for (const failure of failures) console.log(failure)
