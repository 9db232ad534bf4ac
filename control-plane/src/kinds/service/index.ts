export { createService } from './commands.ts'
