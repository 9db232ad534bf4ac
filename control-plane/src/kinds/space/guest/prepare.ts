// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { installDependencies } from './dependencies.ts'
import { enterFunctions, entering, tasksNetwork } from './enter.ts'
import { quote } from './quote.ts'
import { assertReleaseId, type Release, releasesFolder } from './release.ts'
import { unpackArchive } from './unpack.ts'
import { releaseVariables, type Variables } from './variables.ts'

export interface PreparedRelease {
  release: Release
  /** Where the ZIP is in the guest, readable for the user of the space. It is removed at the end. */
  archivePath: string
  /** What all the files of the ZIP say that they have together. */
  unpackedBytes: number
  /** Of the space: package managers are told by them where to look. */
  variables: Variables
}

/**
 * A task that unpacks a release and installs its dependencies. The user of the space does both, so that nothing which comes
 * with a ZIP is done by root. Run again it does nothing, unless it was cut short.
 */
export function prepareScript({ release, archivePath, unpackedBytes, variables }: PreparedRelease): string {
  const { space, app, releaseId } = release
  assertReleaseId(releaseId)
  const prepared = quote(`${space.folder}/prepared/${releaseId}`)
  const unpacked = entering({
    space,
    network: tasksNetwork(space),
    variables: releaseVariables(release, variables),
    folder: quote(releasesFolder(space)),
    command:
      unpackArchive(archivePath, { folder: releaseId, bytes: unpackedBytes }) +
      installDependencies(app.runtime),
  })
  return `${enterFunctions}
if [[ -e ${prepared} ]]; then
  echo ${quote(`release ${releaseId} is there already`)}
  exit
fi
(
${unpacked})
# Whatever happens to the machine from now on, the files of a release that counts as prepared are on its disk.
sync -f ${quote(space.folder)}
: >${prepared}
rm -f -- ${quote(archivePath)}
`
}
