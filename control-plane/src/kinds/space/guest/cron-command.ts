// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { enterFunctions, entering, tasksNetwork } from './enter.ts'
import type { SpacePlace } from './place.ts'
import { quote } from './quote.ts'
import type { AppParts } from './release.ts'
import { currentVariables, type Variables } from './variables.ts'

/** The command of a cron job: it runs in whichever release is the current one then. */
export function cronCommand(app: AppParts, space: SpacePlace, command: string, variables: Variables): string {
  const current = quote(`${space.folder}/current`)
  return `${enterFunctions}
[[ -d ${current}/ ]] || fail ${quote(`nothing is deployed in ${space.type} yet, so that its cron jobs have nothing to run in`)}
${entering({
  space,
  network: tasksNetwork(space),
  variables: currentVariables(space, app, variables),
  folder: `"$(realpath -- ${current})"`,
  command: `export RELEASE=\${PWD##*/}\n${command}`,
})}`
}
