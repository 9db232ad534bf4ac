import { Command } from 'commander'
import { readProjectFile } from '../apply/project-file.ts'
import { client, type Invocation } from '../invocation.ts'
import { applyText } from '../output/apply-text.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { examples } from './options.ts'

export function applyCommand(invocation: Invocation): Command {
  return new Command('apply')
    .summary('make a project and its warm pools be as a file says')
    .requiredOption('-f, --file <path>', 'the project file; - for standard input')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth apply -f hearth.yaml', 'cat hearth.yaml | hearth apply -f -'))
    .action(async ({ file, output }: { file: string; output: Format }) => {
      const declaration = readProjectFile(file)
      const result = await client(invocation).apply(declaration, { signal: invocation.signal })
      show(invocation.terminal, output, result, () => applyText(declaration.name, result))
    })
}
