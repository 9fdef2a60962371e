// What a page can notice of the two libraries that drive the browser.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

import { expect, it } from 'vitest';

import { crawlBrowser, describeBrowser, html, startServer } from './lab.ts';

// An error that is logged has its stack read for whoever listens to the console, which Runtime.enable does. Chromium reads
// no getter of its own any more (seen in 156), so the trap is where a stack is made.
const TRAP = html(`<h1>x</h1><script>
  const root = document.documentElement.dataset;
  root.webdriver = String(navigator.webdriver);
  const spring = () => {
    const error = new Error('a trap');
    Object.defineProperty(error, 'stack', { get() { root.trapped = 'by the getter'; return '' } });
    console.debug(error);
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = () => { root.trapped = 'by the trace'; return '' };
    console.debug(new Error('a trap'));
    Error.prepareStackTrace = prepareStackTrace;
  };
  spring();
  setTimeout(spring, 100);
</script>`);

const hasPatchright = (() => {
  try {
    return createRequire(import.meta.url).resolve('patchright') !== '';
  } catch {
    return false;
  }
})();

describeBrowser('a page that looks for Runtime.enable', () => {
  it.each(['playwright', 'patchright'] as const)('with %s', async (kind) => {
    if (kind === 'patchright' && !hasPatchright) return;
    const server = await startServer({ '/': TRAP });
    const { pages, failures } = await crawlBrowser({ urls: [`${server.origin}/`], options: { kind } });
    expect(failures).toEqual([]);
    const found = pages[0]?.$('html').attr();
    expect(found).toMatchObject({ 'data-webdriver': 'false' });
    if (kind === 'playwright') expect(found).toHaveProperty('data-trapped');
    else expect(found).not.toHaveProperty('data-trapped');
    expect(JSON.stringify(server.hits)).not.toMatch(/headless/i);
  });

  it('with patchright does all that a page needs', async () => {
    const server = await startServer({
      '/': html(
        `<button onclick="document.body.insertAdjacentHTML('beforeend', '<h2>clicked</h2>')">x</button><img src="/photo">`,
      ),
    });
    const { pages, failures, blocked } = await crawlBrowser({
      urls: [`${server.origin}/`],
      options: { kind: 'patchright' },
      site: {
        browser: {
          waitFor: { PAGE: { selector: 'button' } },
          prepare: {
            async PAGE(view) {
              await view.click('button');
              await view.scrollToEnd({ maxSeconds: 1 });
            },
          },
        },
      },
    });
    expect(failures).toEqual([]);
    expect(pages[0]?.$('h2').text()).toBe('clicked');
    expect(blocked).toEqual(['image']);
  });
});

/** Runs TypeScript in a process of its own, in which nothing is loaded yet. @returns What it says. */
function inProcess(script: string): unknown {
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }));
}

it('the browser packages open no port as they are loaded', () => {
  const opened = inProcess(`
    const { closeBanners } = await import('./src/fetch/browser/banners.ts');
    await closeBanners({}).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    // A server that is not to keep the process alive counts as none, so the system is asked.
    const { readdirSync, readFileSync, readlinkSync } = await import('node:fs');
    const sockets = readdirSync('/proc/self/fd').flatMap((fd) => { try { return readlinkSync('/proc/self/fd/' + fd) } catch { return [] } });
    const table = ['tcp', 'tcp6'].flatMap((name) => readFileSync('/proc/self/net/' + name, 'latin1').trim().split('\\n').slice(1));
    const listening = table.map((line) => line.trim().split(/\\s+/)).filter((fields) => fields[3] === '0A');
    process.stdout.write(JSON.stringify(listening.filter((fields) => sockets.includes('socket:[' + fields[9] + ']')).map((fields) => fields[1])));`);
  expect(opened).toEqual([]);
});

it('a crawl without a browser loads none of them', () => {
  const loaded = inProcess(`
    await import('./src/fetch/browser-crawler.ts');
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    process.stdout.write(JSON.stringify(loaded.filter((path) => /playwright|patchright|browser-pool/.test(path))));`);
  expect(loaded).toEqual([]);
});
