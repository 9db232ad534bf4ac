import type { Deployment, SpaceType } from '@hearth/contract'
import { Command, Option } from 'commander'
import { makeMachine } from '../app/app-machine.ts'
import { ensureDeclaredApp } from '../app/declared-app.ts'
import { packFolder } from '../app/pack-folder.ts'
import { followDeployment, followWebApp } from '../following/follow-app.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import type { View } from '../kinds/kind.ts'
import { fields } from '../output/describe.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { renderTable } from '../output/table.ts'
import { appLogsCommand } from './app-logs.ts'
import { examples, machineArgument, viewOf } from './options.ts'
import { spaceOption } from './space-option.ts'

const appArgument = 'name or id of the app'

/** Web apps from a folder to an address. */
export function appCommand(invocation: Invocation): Command {
  return new Command('app')
    .summary('deploy web apps from a folder, promote and go back')
    .addCommand(createCommand(invocation))
    .addCommand(deployCommand(invocation))
    .addCommand(promoteCommand(invocation))
    .addCommand(rollbackCommand(invocation))
    .addCommand(appLogsCommand(invocation))
    .addCommand(openCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(deleteCommand(invocation))
}

interface WaitOptions {
  wait: boolean
  output: Format
}
interface CreateOptions extends WaitOptions {
  runtime: 'python3' | 'nodejs'
  database?: 'postgres'
  cache?: 'redis'
  machine?: string
  class?: string
}

function createCommand(invocation: Invocation): Command {
  const command = new Command('create')
    .summary('make an app with its spaces uat and production, on a machine of its own')
    .argument('<name>', 'unique in the installation')
    .addOption(new Option('--runtime <runtime>').choices(['python3', 'nodejs']).makeOptionMandatory())
    .addOption(new Option('--database <database>', 'by default none').choices(['postgres']))
    .addOption(new Option('--cache <cache>', 'by default none').choices(['redis']))
    .option('--machine <claim-or-environment>', `${machineArgument}; by default one is made`)
    .option('--class <class>', 'of the machine that is made; by default one with the image debian-12-web')
  return waiting(
    command,
    'hearth app create shop --runtime python3 --database postgres',
    'hearth app create shop --runtime nodejs --machine shop-1',
  ).action(
    async (
      name: string,
      { runtime, database, cache, machine, class: ofClass, ...options }: CreateOptions,
    ) => {
      const view = viewOf(invocation)
      const environment =
        machine === undefined ? await makeMachine(view, name, ofClass) : await environmentOf(view, machine)
      const spec = { environment, runtime, database: database ?? null, cache: cache ?? null }
      const made = await view.client.webApps.create({ name, spec }, { signal: view.signal })
      const app = options.wait ? await followWebApp(view, made, invocation) : made
      show(invocation.terminal, options.output, app, () =>
        fields([
          ['App', name],
          ['Is', app.status.phase],
          ['Deploy to it', `hearth app deploy ${name}`],
        ]),
      )
    },
  )
}

async function environmentOf(view: View, reference: string): Promise<string> {
  const { kind, resource } = await findMachine(view, reference)
  return (kind === 'claim' ? resource.status.environmentId : null) ?? resource.metadata.id
}

interface DeployOptions extends WaitOptions {
  space: SpaceType
  name?: string
}

function deployCommand(invocation: Invocation): Command {
  const command = new Command('deploy')
    .summary('send a folder, and follow its deployment until its release gets the requests')
    .argument('[app]', `${appArgument}; by default that of hearth.yaml, which is made where it is not there`)
    .argument('[folder]', 'with a bentocloud.toml; without what .gitignore and .hearthignore leave out', '.')
    .addOption(spaceOption())
    .option('--name <text>', 'of the deployment, for people')
  return waiting(command, 'hearth app deploy', 'hearth app deploy shop ./web --space production').action(
    async (given: string | undefined, folder: string, { space: type, name, ...options }: DeployOptions) => {
      const view = viewOf(invocation)
      const reference = given ?? (await declaredApp(invocation, view))
      const space = await spaceOf(view, reference, type)
      const { files, zip } = await packFolder(folder)
      invocation.terminal.note(`sending ${files} files to ${type} of ${reference}`)
      const asked = await view.client.spaces.deploy(space, zip, { displayName: name, signal: view.signal })
      await end(invocation, asked, options)
    },
  )
}

/** The name of the app that the project file declares; one that is new is waited for. */
async function declaredApp(invocation: Invocation, view: View): Promise<string> {
  const { app, isNew } = await ensureDeclaredApp(view, 'hearth.yaml')
  if (isNew) await followWebApp(view, app, invocation)
  return app.metadata.name
}

function promoteCommand(invocation: Invocation): Command {
  const command = new Command('promote')
    .summary('deploy to production the very archive whose release uat has')
    .argument('<app>', appArgument)
  return waiting(command, 'hearth app promote shop').action(
    async (reference: string, options: WaitOptions) => {
      const view = viewOf(invocation)
      const uat = await spaceOf(view, reference, 'uat')
      await end(invocation, await view.client.spaces.promote(uat, {}, { signal: view.signal }), options)
    },
  )
}

function rollbackCommand(invocation: Invocation): Command {
  const command = new Command('rollback')
    .summary('go back to the release before, or to that of a deployment')
    .argument('<app>', appArgument)
    .addOption(spaceOption('production'))
    .option('--to <deployment>', 'its id')
  return waiting(command, 'hearth app rollback shop', 'hearth app rollback shop --space uat').action(
    async (
      reference: string,
      { space: type, to, ...options }: WaitOptions & { space: SpaceType; to?: string },
    ) => {
      const view = viewOf(invocation)
      const space = await spaceOf(view, reference, type)
      const body = to === undefined ? {} : { deploymentId: to }
      await end(invocation, await view.client.spaces.rollback(space, body, { signal: view.signal }), options)
    },
  )
}

function openCommand(invocation: Invocation): Command {
  return new Command('open')
    .summary('show the address of an app')
    .argument('<app>', appArgument)
    .addOption(spaceOption('production'))
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth app open shop',
        'xdg-open "$(hearth app open shop --space uat -o json | jq -r .status.url)"',
      ),
    )
    .action(async (reference: string, { space: type, output }: { space: SpaceType; output: Format }) => {
      const view = viewOf(invocation)
      const space = await view.client.spaces.get(await spaceOf(view, reference, type), {
        signal: view.signal,
      })
      const { url, phase, currentDeploymentId } = space.status
      show(invocation.terminal, output, space, () =>
        fields([
          ['Address', url ?? 'none: its runner serves no routes'],
          ['Space', `${type}, ${phase}`],
          ['Deployment', currentDeploymentId ?? 'none yet'],
        ]),
      )
    })
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list apps with their spaces and addresses')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth app list'))
    .action(async ({ output }: { output: Format }) => {
      const { client, signal, terminal } = viewOf(invocation)
      const apps = await client.webApps.listAll({}, { signal })
      const spaces = await client.spaces.listAll({}, { signal })
      show(terminal, output, apps, () =>
        renderTable({
          columns: ['APP', 'RUNTIME', 'PHASE', 'SPACE', 'IS', 'ADDRESS'],
          rows: apps.flatMap(({ metadata, spec, status }) =>
            spaces
              .filter((space) => space.spec.webAppId === metadata.id)
              .map((space) => [
                metadata.name,
                spec.runtime,
                status.phase,
                space.spec.type,
                space.status.phase,
                space.status.url ?? '-',
              ]),
          ),
        }),
      )
    })
}

function deleteCommand(invocation: Invocation): Command {
  return new Command('delete')
    .summary('delete an app with its spaces, files and databases; its machine stays')
    .argument('<app>', appArgument)
    .addHelpText('after', examples('hearth app delete shop'))
    .action(async (reference: string) => {
      const { client, signal, terminal } = viewOf(invocation)
      await client.webApps.delete(reference, { signal })
      terminal.out(`web app ${reference} is being deleted`)
    })
}

async function spaceOf({ client, signal }: View, reference: string, type: SpaceType): Promise<string> {
  const { status } = await client.webApps.get(reference, { signal })
  return status.spaceIds[type]
}

function waiting(command: Command, ...lines: string[]): Command {
  return command
    .option('--no-wait', 'end as soon as it is asked for')
    .addOption(outputOption())
    .addHelpText('after', examples(...lines))
}

/** Follows a deployment to its end, where that is wanted, and shows where its release is reached. */
async function end(invocation: Invocation, asked: Deployment, { wait, output }: WaitOptions): Promise<void> {
  const view = viewOf(invocation)
  const deployment = wait ? await followDeployment(view, asked, invocation) : asked
  const { status } = await view.client.spaces.get(deployment.spec.spaceId, { signal: view.signal })
  show(invocation.terminal, output, { ...deployment, url: status.url }, () =>
    fields([
      ['Deployment', `${deployment.metadata.name} (${deployment.metadata.id})`],
      ['Is', deployment.status.phase],
      ['Address', status.url ?? 'none: its runner serves no routes'],
    ]),
  )
}
