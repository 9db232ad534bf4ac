// Reads what vitest's json reporter wrote and prints what each failed test said: its end is what a reader of a log sees.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [mostTests, mostLines, mostCharacters] = [5, 30, 300]
const results = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const told = results.testResults.flatMap(({ name, status, message, assertionResults }) => {
  const file = relative(process.cwd(), name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  if (failed.length === 0) return status === 'failed' ? [[file, message]] : []
  return failed.map((test) => [`${file} > ${test.fullName}`, test.failureMessages.join('\n')])
})
for (const [test, message] of told.slice(0, mostTests)) {
  console.log(`\n${test}`)
  const lines = message.split('\n')
  for (const line of lines.slice(0, mostLines)) console.log(`  ${line.slice(0, mostCharacters)}`)
  if (lines.length > mostLines) console.log(`  ... ${lines.length - mostLines} more lines above`)
}
if (told.length > mostTests) console.log(`\n... ${told.length - mostTests} more above`)
