import { expect, test } from 'vitest'
import { junit, summary } from './reports.ts'
import type { TaskResult } from './result.ts'

const results: TaskResult[] = [
  { name: 'build', outcome: 'succeeded', exitStatus: 0, seconds: 1.5, message: null, output: 'ok\n' },
  {
    name: 'test',
    outcome: 'failed',
    exitStatus: 3,
    seconds: 2,
    message: 'the task ended with exit code 3',
    output: '\u001b[31m<b> & "c"\u001b[0m\u0000\n```\n',
  },
  {
    name: 'deploy',
    outcome: 'skipped',
    exitStatus: 1,
    seconds: 0,
    message: 'it depends on test',
    output: '',
  },
]

test('JUnit has a case for each task; what XML cannot say is left out', () => {
  expect(junit(results, 'shop')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" skipped="1" time="3.500">
  <testsuite name="shop" tests="3" failures="1" skipped="1" time="3.500">
    <testcase name="build" classname="hearth" time="1.500">
      <system-out>ok
</system-out>
    </testcase>
    <testcase name="test" classname="hearth" time="2.000">
      <failure message="the task ended with exit code 3"/>
      <system-out>&lt;b&gt; &amp; &quot;c&quot;
\`\`\`
</system-out>
    </testcase>
    <testcase name="deploy" classname="hearth" time="0.000">
      <skipped message="it depends on test"/>
    </testcase>
  </testsuite>
</testsuites>
`)
})

test('the summary shows what failed, with its output in a fence that it cannot close', () => {
  const page = summary(results, 'hearth ci')
  expect(page).toContain('| ❌ | test | 2.0 s | the task ended with exit code 3 |')
  expect(page).toContain('### test\n\n````\n<b> & "c"')
})
