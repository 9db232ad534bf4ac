import { type Failure, type PrebuildTemplate, prebuildTemplateSchema } from '@hearth/contract'
import fc from 'fast-check'
import { test } from 'vitest'
import { decideTemplates, type SeenTemplate, type TemplateAction } from './decide.ts'

const failure: Failure = { code: 'disk_full', message: 'no room' }
const booting = { phase: 'pending', going: false, unreachable: false, failure: null } as const
const making = { phase: 'making', going: false, memory: null, failure: null } as const
const none: SeenTemplate = {
  template: { runnerId: '', phase: 'pending', environmentId: null, snapshotId: null, failure: null },
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
      let now = first
      for (let step = 0; step < 12; step += 1) {
        const action = decideTemplates(now)
        if (action === null) return
        now = { ...now, templates: after(now.templates, action) }
      }
      throw new Error(`it does not come to rest: ${JSON.stringify(first)}`)
    }),
    { numRuns: 2_000 },
  )
})

/** The templates once the action was carried out and nothing else has happened. */
function after(templates: readonly SeenTemplate[], action: TemplateAction): SeenTemplate[] {
  const { runnerId } = action
  const others = templates.filter(({ template }) => template.runnerId !== runnerId)
  const one = templates.find(({ template }) => template.runnerId === runnerId) ?? none
  const moved = (phase: PrebuildTemplate['phase'], change: Partial<SeenTemplate> = {}) => [
    ...others,
    { ...one, ...change, template: { ...one.template, runnerId, phase } },
  ]
  switch (action.do) {
    case 'boot':
      return moved('booting', { machine: booting })
    case 'freeze':
      return moved('freezing', { snapshot: making })
    case 'keep':
      return moved('ready')
    case 'fail':
      return moved('failed', { snapshot: null })
    case 'drop':
      return others
    default:
      return action satisfies never
  }
}
