// `npm start`: the crawler as compiled JavaScript, which starts sooner and takes less memory than by tsx.
import { compile } from './compile.mjs';

// `kill -USR2` asks what a crawl is doing, and none is there yet; src/main.ts does the same.
process.on('SIGUSR2', () => {});
const code = compile();
if (code !== 0) process.exit(code);
// Errors name the lines of src/; src/worker.ts does the same.
process.setSourceMapsEnabled(true);
await import('../dist/main.js');
