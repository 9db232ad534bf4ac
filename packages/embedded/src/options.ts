export interface EmbeddedOptions {
  /** Everything this server keeps; made if absent. */
  folder: string
  /** Where its programs are copied or unpacked to; may be shared by several servers. */
  programs: string
  /** Told in words what is done and why, a line at a time. */
  log(message: string): void
  /** Loopback port; by default a free one, which the folder remembers. */
  port?: number
}
