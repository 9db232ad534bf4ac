import { HearthError, newId } from '@hearth/foundation'

/** Makes something under a name of Hearth, or under another one where that is taken: in Ona names need not be different. */
export async function withFreeName<Made>(
  wanted: string,
  make: (name: string) => Promise<Made>,
): Promise<Made> {
  try {
    return await make(wanted)
  } catch (thrown) {
    if (!(thrown instanceof HearthError) || !thrown.isTaken) throw thrown
    return make(`${wanted}-${newId().slice(-6)}`)
  }
}
