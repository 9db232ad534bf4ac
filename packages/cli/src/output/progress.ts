import { Listr } from 'listr2'
import type { Terminal } from './terminal.ts'
import { visibleText } from './visible-text.ts'

export interface ProgressTask {
  title: string
  /** Runs the work; `report` receives its progress. The returned text, if any, becomes the task's title. */
  work(report: Report): Promise<string | undefined>
}

export interface Report {
  /** Shows the current state in any number of lines, replacing what was shown before. For terminals only. */
  state(text: string): void
  /** Prints an event as a permanent line where there is no screen to redraw. */
  event(line: string): void
}

/** Runs tasks one after another, or all at once; rejects with the first error after all running tasks have ended. */
export async function runTasks(
  terminal: Terminal,
  tasks: readonly ProgressTask[],
  options: { concurrent: boolean },
): Promise<void> {
  if (terminal.isInteractive) await runDrawn(tasks, options)
  else await runPlain(terminal, tasks, options)
}

async function runDrawn(tasks: readonly ProgressTask[], options: { concurrent: boolean }): Promise<void> {
  const list = new Listr(
    tasks.map(({ title, work }) => ({
      title: visibleText(title),
      task: async (_: unknown, task) => {
        const result = await work({
          state: (text) => {
            task.output = visibleText(text)
          },
          event: () => undefined,
        })
        if (result !== undefined) task.title = visibleText(result)
      },
    })),
    {
      concurrent: options.concurrent,
      exitOnError: true,
      // This program handles Ctrl-C itself: it first ends what the tasks started.
      registerSignalListeners: false,
      rendererOptions: { timer: undefined, showErrorMessage: false, collapseErrors: false },
    },
  )
  await list.run()
}

async function runPlain(
  terminal: Terminal,
  tasks: readonly ProgressTask[],
  options: { concurrent: boolean },
): Promise<void> {
  const one = async ({ title, work }: ProgressTask): Promise<void> => {
    terminal.note(`${title} ...`)
    const result = await work({ state: () => undefined, event: (line) => terminal.note(`  ${line}`) })
    terminal.note(result ?? `${title}: done`)
  }
  if (!options.concurrent) {
    for (const task of tasks) await one(task)
    return
  }
  const results = await Promise.allSettled(tasks.map(one))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
