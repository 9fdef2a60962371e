// `npm start`: the crawler as compiled JavaScript, which starts sooner and takes less memory than by tsx.
import { compile } from './compile.mjs';

const code = compile();
if (code !== 0) process.exit(code);
// Errors name the lines of src/; src/worker.ts does the same.
process.setSourceMapsEnabled(true);
await import('../dist/main.js');
