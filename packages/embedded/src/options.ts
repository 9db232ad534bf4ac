export interface EmbeddedOptions {
  /** The server's data folder; made if absent. */
  folder: string
  /** Where its programs are copied or unpacked to; may be shared by several servers. */
  programs: string
  /** Called with a line of text for each thing that is done, and why. */
  log(message: string): void
  /** Loopback port; by default a free one, which the folder remembers. */
  port?: number
}
