import { type Failure, type PrebuildTemplate, prebuildTemplateSchema } from '@hearth/contract'
import fc from 'fast-check'
import { test } from 'vitest'
import { decideTemplates, failedTemplate, type SeenTemplate, type TemplateAction } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const failure: Failure = { code: 'disk_full', message: 'no room' }
const booting = { phase: 'pending', going: false, unreachable: false, failure: null } as const
const making = { phase: 'making', going: false, memory: null, failure: null } as const
const none: SeenTemplate = {
  template: {
    ...{ runnerId: '', phase: 'pending', environmentId: null, snapshotId: null, failure: null },
    ...{ failures: 0, retryAt: null },
  },
  machine: null,
  snapshot: null,
  unusable: null,
}

test('whatever is seen, after a few actions there is nothing to do but to wait', () => {
  const phases = prebuildTemplateSchema.shape.phase.options
  const anySeen = fc.record({
    template: fc.record({
      runnerId: fc.constantFrom('a', 'b'),
      phase: fc.constantFrom(...phases),
      environmentId: fc.constant(null),
      snapshotId: fc.constant(null),
      failure: fc.constant(null),
      failures: fc.nat(5),
      retryAt: fc.constantFrom(null, '2026-01-01T11:00:00.000Z', '2026-01-01T13:00:00.000Z'),
    }),
    machine: fc.option(
      fc.record({
        phase: fc.constantFrom('pending', 'running', 'failed', 'stopped', 'deleted'),
        going: fc.boolean(),
        unreachable: fc.boolean(),
        failure: fc.option(fc.constant(failure)),
      }),
    ),
    snapshot: fc.option(
      fc.record({
        phase: fc.constantFrom('making', 'ready', 'failed'),
        going: fc.boolean(),
        memory: fc.option(fc.record({ kept: fc.boolean(), reason: fc.constant(null) })),
        failure: fc.constant(null),
      }),
    ),
    unusable: fc.option(fc.constant('another QEMU')),
  }) as fc.Arbitrary<SeenTemplate>
  const world = fc.record({
    wantedRunnerIds: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
    templates: fc.uniqueArray(anySeen, { selector: ({ template }) => template.runnerId }),
  })
  fc.assert(
    fc.property(world, (first) => {
      let seen = { ...first, now }
      for (let step = 0; step < 12; step += 1) {
        const action = decideTemplates(seen)
        if (action === null) return
        seen = { ...seen, templates: after(seen.templates, action) }
      }
      throw new Error(`it does not come to rest: ${JSON.stringify(first)}`)
    }),
    { numRuns: 2_000 },
  )
})

/** The templates once the action was carried out and nothing else has happened. */
function after(templates: readonly SeenTemplate[], action: TemplateAction): SeenTemplate[] {
  const runnerId = action.do === 'boot' ? (action.runnerIds[0] ?? '') : action.runnerId
  const others = templates.filter(({ template }) => template.runnerId !== runnerId)
  const one = templates.find(({ template }) => template.runnerId === runnerId) ?? none
  const moved = (phase: PrebuildTemplate['phase'], change: Partial<SeenTemplate> = {}) => [
    ...others,
    { ...one, ...change, template: { ...one.template, ...change.template, runnerId, phase } },
  ]
  switch (action.do) {
    case 'boot':
      return moved('booting', {
        machine: booting,
        snapshot: null,
        template: { ...one.template, retryAt: null },
      })
    case 'freeze':
      return moved('freezing', { snapshot: making })
    case 'keep':
      return moved('ready')
    case 'fail':
      return moved('failed', { snapshot: null, template: failedTemplate(one.template, action.failure, now) })
    case 'drop':
      return others
    default:
      return action satisfies never
  }
}
