import { enterFunctions, entering, tasksNetwork } from './enter.ts'
import { quote } from './quote.ts'
import { assertReleaseId, type Release, releaseFolder } from './release.ts'
import { releaseVariables, type Variables } from './variables.ts'

/** A release command: a task that runs once, before the processes of its release. */
export function releaseScript(release: Release, command: string, variables: Variables): string {
  assertReleaseId(release.releaseId)
  return (
    enterFunctions +
    entering({
      space: release.space,
      network: tasksNetwork(release.space),
      variables: releaseVariables(release, variables),
      folder: quote(releaseFolder(release)),
      command,
    })
  )
}
