import { join } from 'node:path'
import { HearthError } from '@hearth/foundation'
import { Command, Option } from 'commander'
import { ensureImage } from '../images/ensure-image.ts'
import { listImages } from '../images/list-images.ts'
import { type Invocation, stateFolder } from '../invocation.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { examples } from './options.ts'

export function imageCommand(invocation: Invocation): Command {
  return new Command('image')
    .summary('base images of this host')
    .addCommand(buildCommand(invocation))
    .addCommand(listCommand(invocation))
}

function buildCommand(invocation: Invocation): Command {
  return new Command('build')
    .summary('build a base image from Debian packages; does nothing when it is there already')
    .argument('[name]', 'what classes call it (default: debian-12, or debian-12-web)')
    .addOption(
      new Option('--variant <variant>', 'how guests learn who they are')
        .choices(['seed', 'cloud-init'])
        .default('seed'),
    )
    .addOption(
      new Option('--with <addition>', 'what is added: web for what web apps need').choices(['web'] as const),
    )
    .addHelpText(
      'after',
      examples(
        'hearth image build',
        'hearth image build --with web',
        'hearth image build debian-12-cloud --variant cloud-init',
      ),
    )
    .action(async (given: string | undefined, options: { variant: string; with?: 'web' }) => {
      const { variant, with: addition = null } = options
      const name = given ?? (addition === null ? 'debian-12' : `debian-12-${addition}`)
      const { terminal, signal, config } = invocation
      const folder = stateFolder(invocation)
      const need = { stateFolder: folder, name, variant, addition, variables: config.variables, signal }
      const decision = await ensureImage(need, (line) => terminal.note(line))
      if (decision === 'keep because machines use it') {
        throw new HearthError(
          'conflict',
          `machines rest on the present ${name}: delete them first, or build under another name`,
        )
      }
      terminal.out(join(folder, 'images', name))
    })
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list the base images in the state folder')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth image list'))
    .action(({ output }: { output: Format }) => {
      const images = listImages(join(stateFolder(invocation), 'images'))
      show(invocation.terminal, output, images, () => ({
        columns: ['NAME', 'FORMAT', 'FINGERPRINT', 'FOLDER'],
        rows: images.map(({ name, format, fingerprint, folder }) => [
          name,
          format,
          fingerprint.slice(0, 12),
          folder,
        ]),
      }))
    })
}
