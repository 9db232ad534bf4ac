import { declaredAppSchema, type WebApp } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { readProjectFile } from '../apply/project-file.ts'
import { goneIsNull } from '../kinds/gone-is-null.ts'
import type { View } from '../kinds/kind.ts'
import { makeMachine } from './app-machine.ts'

/** The app that a project file declares, which is made where it is not there; `isNew` says whether it was. */
export async function ensureDeclaredApp(view: View, path: string): Promise<{ app: WebApp; isNew: boolean }> {
  const declaration = readProjectFile(path)
  const { name } = declaration
  if (declaration.app === undefined)
    throw new HearthError(
      'invalid',
      `${path} declares no app: say which one (hearth app deploy NAME), or add to it \`app: {runtime: python3}\``,
    )
  const { client, signal } = view
  const known = await client.webApps.get(name, { signal }).catch(goneIsNull)
  if (known !== null) return { app: known, isNew: false }
  const { runtime, database, cache, class: className } = declaredAppSchema.parse(declaration.app)
  const environment = await makeMachine(view, name, className, declaration)
  const spec = { environment, runtime, database, cache }
  return { app: await client.webApps.create({ name, spec }, { signal }), isNew: true }
}
