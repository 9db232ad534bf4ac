import { expect, test } from 'vitest'
import { parseProjectFile } from './project-file.ts'

const good = `apiVersion: hearth/v1
name: shop
repositories:
  - url: https://git.example/team/Shop.git
    setup:
      - make deps
variables:
  STAGE: dev
setup:
  - name: packages
    command: apt-get install -y jq
    timeoutSeconds: 600
warmPools:
  - min: 2
    setup: [make warm]
`

test('a good file is what it says', () => {
  const { declaration, faults } = parseProjectFile(good)
  expect(faults).toEqual([])
  expect(declaration).toMatchObject({ name: 'shop', warmPools: [{ min: 2, setup: ['make warm'] }] })
})

test('all errors are reported at once, each with line and column', () => {
  const { declaration, faults } = parseProjectFile(
    good
      .replace('min: 2', 'min: -2')
      .replace('STAGE: dev', '1STAGE: dev')
      .replace('  - name: packages', '  - nam: packages'),
  )
  expect(declaration).toBeNull()
  const places = faults.map(({ line, column, path }) => `${line}:${column} ${path}`)
  expect(places).toContain('14:5 warmPools.0.min')
  expect(places).toContain('8:3 variables.1STAGE')
  expect(places.some((place) => place.startsWith('10:'))).toBe(true)
})

test('a missing field is reported at the place where it should be', () => {
  const { faults } = parseProjectFile('apiVersion: hearth/v1\nwarmPools:\n  - min: 1\n')
  expect(faults).toMatchObject([{ line: 1, column: 1, path: 'name' }])
})

test('text that is not YAML is refused with the place', () => {
  const { declaration, faults } = parseProjectFile('name: shop\nsetup: [make\nvariables: {}\n')
  expect(declaration).toBeNull()
  expect(faults[0]?.line).toBeGreaterThanOrEqual(2)
})

test('an empty file and one that holds no mapping are refused', () => {
  for (const text of ['', '- a\n', 'shop\n']) expect(parseProjectFile(text).declaration).toBeNull()
})

test('prebuilds stand in the file, and what is wrong with them is shown where it stands', () => {
  const prebuilds = `prebuilds:
  classes: [small, large]
  schedule:
    dailyHour: 4
    timeZone: Europe/Berlin
  push: true
  webhookSecret: HOOK
`
  const read = parseProjectFile(good + prebuilds)
  expect(read.faults).toEqual([])
  expect(read.declaration).toMatchObject({ prebuilds: { classes: ['small', 'large'], push: true } })
  const unsigned = parseProjectFile(good + prebuilds.replace('  webhookSecret: HOOK\n', ''))
  expect(unsigned.faults[0]).toMatchObject({ path: 'prebuilds.webhookSecret' })
  const never = parseProjectFile(good + prebuilds.replace('dailyHour: 4', 'cron: 0 4 31 2 *'))
  expect(never.faults[0]).toMatchObject({ path: 'prebuilds.schedule.cron', line: 19 })
  const twice = parseProjectFile(good + prebuilds.replace('small, large', 'small, small'))
  expect(twice.faults[0]).toMatchObject({
    path: 'prebuilds.classes',
    message: expect.stringContaining('once'),
  })
})
