export { createTask } from './commands.ts'
