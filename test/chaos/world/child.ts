import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { FromChild, Start, ToChild } from '../children/messages.ts'
import { bundleOf, type Program } from './bundle.ts'

/** One process of a program, until it is killed or ends. */
export class Child {
  port: number | null = null
  /** The exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>
  private readonly process: ChildProcess
  private over = false

  constructor(program: Program, start: () => Start, logFile: string, onBroken: () => void) {
    const log = openSync(logFile, 'a')
    this.process = fork(bundleOf(program), [], {
      stdio: ['ignore', log, log, 'ipc'],
      env: { PATH: process.env.PATH },
      // Without the options of this process: a bundle needs no loader.
      execArgv: [],
    })
    closeSync(log)
    this.process.on('error', () => undefined)
    this.ended = new Promise((resolve) => {
      this.process.once('exit', (code) => {
        this.over = true
        this.port = null
        resolve(code)
      })
    })
    this.process.on('message', (message: FromChild) => {
      // Sends the current state: earlier messages reached nobody.
      if (message.type === 'loaded') this.send(start())
      if (message.type === 'listening') this.port = message.port
      if (message.type === 'broken') onBroken()
    })
  }

  get isOver(): boolean {
    return this.over
  }

  send(message: ToChild): void {
    if (!this.over) this.process.send(message, () => undefined)
  }

  kill(): void {
    if (!this.over) this.process.kill('SIGKILL')
  }

  /** Freezes the process, and everything it holds, until `resume`. */
  pause(): void {
    if (!this.over) this.process.kill('SIGSTOP')
  }

  resume(): void {
    if (!this.over) this.process.kill('SIGCONT')
  }
}
