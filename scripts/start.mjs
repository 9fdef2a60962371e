// `npm start`: the crawler as compiled JavaScript, which starts sooner and takes less memory than by tsx.
// A sentence for an old Node, which would stumble over what is loaded next; src/node-version.ts has it for all other ways.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `[setup] Surefoot needs Node.js 20.19 or newer, and this is ${process.versions.node}. Install a newer one: https://nodejs.org\n`,
  );
  process.exit(1);
}
const { compile } = await import('./compile.mjs');

// `kill -USR2` asks what a crawl is doing, and none is there yet; src/main.ts does the same.
process.on('SIGUSR2', () => {});
const code = compile();
if (code !== 0) process.exit(code);
// Errors name the lines of src/; src/worker.ts does the same.
process.setSourceMapsEnabled(true);
await import('../dist/main.js');
