import { type Command, mostPlanBytes, type ProjectSpec } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'

type PlanParts = Pick<ProjectSpec, 'repositories' | 'variables' | 'secretNames' | 'setup'>

/** Size in bytes of JSON of the plan that a project and one of its pools give to each environment. */
export function planBytes(
  { repositories, variables, secretNames, setup }: PlanParts,
  poolSetup: readonly Command[],
): number {
  return Buffer.byteLength(JSON.stringify({ repositories, variables, secretNames, setup, poolSetup }))
}

/** Throws `invalid` for a plan over the limit. A plan from before there was a limit may stay over it, but not grow. */
export function refuseLargePlan(bytes: number, bytesBefore: number): void {
  if (bytes <= mostPlanBytes || bytes <= bytesBefore) return
  throw new HearthError(
    'invalid',
    `the repositories, variables and set-up commands of the project and its pool have ${bytes} bytes together, over the ${mostPlanBytes} there may be: put long scripts and files into the repository`,
    {
      details: [
        {
          field: 'body',
          given: `${bytes} bytes`,
          expected: `at most ${mostPlanBytes} bytes of JSON together`,
        },
      ],
    },
  )
}
