import type { Invocation } from '../invocation.ts'
import { runTasks } from '../output/progress.ts'
import { ensureImage } from './ensure-image.ts'

/** The base image's name in the standard classes. */
const name = 'debian-12'

/** Builds the base image unless it exists, and shows each phase of the build. */
export async function ensureBaseImage(stateFolder: string, invocation: Invocation): Promise<void> {
  const { terminal, signal, config } = invocation
  await runTasks(
    terminal,
    [
      {
        title: `base image ${name}`,
        work: async (report) => {
          const which = { name, variant: 'seed', addition: null }
          const need = { stateFolder, ...which, variables: config.variables, signal }
          const decision = await ensureImage(need, (line) => {
            report.state(line)
            report.event(line)
          })
          switch (decision) {
            case 'keep':
              return `base image ${name}: there already`
            case 'build':
              return `base image ${name}: built`
            case 'keep because machines use it':
              return `base image ${name}: an older one is kept, since machines rest on it`
          }
        },
      },
    ],
    { concurrent: false },
  )
}
