import { exclusively } from './exclusion.ts'

/** Work on the machines and layers of one host of which only one agent at a time may do each, by name. */
export class ExclusionScope {
  constructor(
    /** Folder on the agent's own host for the locks by which the agents that drive the host exclude each other. */
    private readonly locksFolder: string,
    /** Names the host and its folder, the same for every agent that drives them from this machine. */
    private readonly scope: string,
  ) {}

  machine<Result>(environmentId: string, work: () => Promise<Result>): Promise<Result> {
    return exclusively(this.locksFolder, `${this.scope}/${environmentId}`, work)
  }

  /** Work on a machine and a layer takes the machine first. */
  layer<Result>(layerId: string, work: () => Promise<Result>): Promise<Result> {
    return exclusively(this.locksFolder, `${this.scope}/layer/${layerId}`, work)
  }

  /** Work on a volume takes its machine first, and of two volumes the one that is made. */
  volume<Result>(volumeId: string, work: () => Promise<Result>): Promise<Result> {
    return exclusively(this.locksFolder, `${this.scope}/volume/${volumeId}`, work)
  }

  /** Flattening takes long, and the layer can be used meanwhile. */
  flattening<Result>(layerId: string, work: () => Promise<Result>): Promise<Result> {
    return exclusively(this.locksFolder, `${this.scope}/flattening/${layerId}`, work)
  }
}
