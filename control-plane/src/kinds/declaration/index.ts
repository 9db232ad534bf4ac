export { applyDeclaration } from './commands.ts'
