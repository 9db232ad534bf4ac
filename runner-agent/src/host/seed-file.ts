/** One of the files that give a guest its identity. */
export interface SeedFile {
  path: string
  mode: number
  content: string | Buffer
}
