/** Why a wait for a guest was given up: its machine does not run any more. */
export class MachineEnded extends Error {
  override readonly name = 'MachineEnded'

  constructor() {
    super('the machine does not run any more')
  }
}
