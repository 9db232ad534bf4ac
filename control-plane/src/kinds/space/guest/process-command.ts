import { enterFunctions, entering } from './enter.ts'
import { quote } from './quote.ts'
import { assertReleaseId, type Release, type ReleaseProcess, releaseFolder } from './release.ts'
import { releaseVariables, type Variables } from './variables.ts'

/** What a network is kept for. A release that is gone back to has those that it had. */
export function networkOf({ space, releaseId }: Release, { name, instance }: ReleaseProcess): string {
  assertReleaseId(releaseId)
  return `${space.type} ${releaseId} ${name} ${instance}`
}

/** The command of the service that is one instance of a process; `port` is null for one that serves no requests. */
export function processCommand(
  release: Release,
  process: ReleaseProcess & { command: string; port: number | null; variables: Variables },
): string {
  const given = releaseVariables(release, process.variables)
  return (
    enterFunctions +
    entering({
      space: release.space,
      network: networkOf(release, process),
      variables: process.port === null ? given : { ...given, PORT: String(process.port) },
      folder: quote(releaseFolder(release)),
      command: process.command,
    })
  )
}
