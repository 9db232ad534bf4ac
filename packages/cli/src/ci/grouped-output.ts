import type { Terminal } from '../output/terminal.ts'

/** Bytes kept of each task that is not shown yet. */
const mostHeldBytes = 4 * 1024 * 1024

interface Group {
  name: string
  held: string
  leftOut: number
  isOver: boolean
}

/**
 * What several tasks print at once, one after another: the first is shown live, the others when those before them are over.
 * On GitHub each is a group that can be folded.
 */
export class GroupedOutput {
  private readonly groups: Group[] = []
  private shown: Group | null = null
  private endsLine = true

  constructor(
    private readonly terminal: Pick<Terminal, 'raw' | 'tone'>,
    private readonly isOnGitHub: boolean,
  ) {}

  add(name: string, text: string): void {
    if (text === '') return
    const group = this.groupOf(name)
    if (this.shown === null) this.show(group)
    if (this.shown === group) this.write(text)
    else if (group.held.length + text.length <= mostHeldBytes) group.held += text
    else group.leftOut += text.length
  }

  /** The task is over; `line` says how. */
  end(name: string, line: string): void {
    const group = this.groupOf(name)
    group.isOver = true
    if (this.shown !== null && this.shown !== group) {
      this.hold(group, line)
      return
    }
    if (this.shown === null) this.show(group)
    this.close(line)
    this.showNext()
  }

  private groupOf(name: string): Group {
    let group = this.groups.find((one) => one.name === name)
    if (group === undefined) {
      group = { name, held: '', leftOut: 0, isOver: false }
      this.groups.push(group)
    }
    return group
  }

  private hold(group: Group, line: string): void {
    group.held += group.leftOut > 0 ? `\n... ${group.leftOut} characters are left out ...\n` : ''
    this.endLines.set(group, line)
  }

  private readonly endLines = new Map<Group, string>()

  private show(group: Group): void {
    this.shown = group
    this.write(
      this.isOnGitHub ? `::group::${group.name}\n` : `${this.terminal.tone('strong', `==> ${group.name}`)}\n`,
    )
    this.write(group.held)
    group.held = ''
  }

  private close(line: string): void {
    if (!this.endsLine) this.write('\n')
    this.write(this.isOnGitHub ? `::endgroup::\n${line}\n` : `${line}\n`)
    this.shown = null
  }

  /** Those that are over meanwhile are shown whole, until one is not. */
  private showNext(): void {
    for (const group of this.groups) {
      const line = this.endLines.get(group)
      if (group.isOver && line === undefined) continue
      if (group.held === '' && line === undefined) continue
      this.show(group)
      if (line === undefined) return
      this.endLines.delete(group)
      this.close(line)
    }
  }

  private write(text: string): void {
    if (text === '') return
    this.endsLine = text.endsWith('\n')
    this.terminal.raw(text)
  }
}
