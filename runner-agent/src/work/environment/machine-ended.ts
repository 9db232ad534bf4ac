/** Why a wait for a guest was aborted: its machine no longer runs. */
export class MachineEnded extends Error {
  override readonly name = 'MachineEnded'

  constructor() {
    super('the machine does not run any more')
  }
}
