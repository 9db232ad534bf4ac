export { addDeclarationRoutes } from './routes.ts'
