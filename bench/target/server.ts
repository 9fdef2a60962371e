// The benchmark's target, run in a process of its own: the demo site's pages, 35 KB a story, rendered before the first
// request, and as little HTTP as crawlers need: on two cores the target's time is the crawler's. node:http takes half as much again.
// `tsx bench/target/server.ts STORIES [WAIT [PER_PAGE]]`; prints its URL, and at /stats says how many pages it has served since
// it was last asked, from the first request to the end of the last answer.
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { itemPage, listPage } from '../../src/demo/pages.ts';
import { demoStory, demoStoryById, type DemoStory } from '../../src/demo/stories.ts';

/** With more stories than this, heads are rendered as they are asked for: they would take a gigabyte. */
const MAX_HEADS = 20_000;
/** Distinct comment trees. Every page has its own head and one of these below it: 350 MB of pages in 10 MB of memory. */
const TREES = 300;
/** The demo's stories have 18 comments on average; twice as many make pages of 35 KB. */
const MORE_COMMENTS = 2;
const END_OF_REQUEST = '\r\n\r\n';

const stories = Number(process.argv[2] ?? 10_000);
/** Milliseconds that each answer waits. */
const wait = Number(process.argv[3] ?? 0);
const perPage = Number(process.argv[4] ?? 30);

const storyAt = (index: number) => {
  const story = demoStory(index);
  return { ...story, commentCount: story.commentCount * MORE_COMMENTS };
};
const halves = (index: number) => {
  const page = itemPage(storyAt(index));
  const cut = page.indexOf('<table border="0" class="comment-tree">');
  return [page.slice(0, cut), page.slice(cut)] as const;
};
const trees = Array.from({ length: Math.min(TREES, stories) }, (_, index) => Buffer.from(halves(index)[1]));
const lists = Array.from({ length: Math.ceil(stories / perPage) }, (_, index) =>
  Buffer.from(listPage(index + 1, { stories, perPage })),
);
const headOf = (story: DemoStory) => {
  const page = itemPage({ ...story, commentCount: 0 });
  const cut = page.indexOf('<table border="0" class="comment-tree">');
  const count = story.commentCount * MORE_COMMENTS;
  return Buffer.from(page.slice(0, cut).replace('>discuss<', count === 0 ? '>discuss<' : `>${count}&nbsp;comments<`));
};
const heads = new Map<number, Buffer>();
for (let index = 0; index < Math.min(stories, MAX_HEADS); index++) {
  const story = demoStory(index);
  heads.set(story.id, headOf(story));
}

let served = 0;
let firstAt = 0;
let lastAt = 0;
const begin = () => {
  if (firstAt === 0) firstAt = performance.now();
};
const count = () => {
  served++;
  lastAt = performance.now();
};
/** What was served since this was last asked for. */
const takeStats = () => {
  const stats = JSON.stringify({ served, millis: lastAt - firstAt });
  served = firstAt = lastAt = 0;
  return stats;
};

const OTHERS: Readonly<Record<string, () => string>> = {
  '/robots.txt': () => 'User-agent: *\nAllow: /\n',
  '/stats': takeStats,
  '/served': () => String(served),
};

/** @returns The body's parts; null: there is no such page. */
function bodyOf(url: string): readonly Buffer[] | null {
  const id = Number(/^\/item\?id=(\d+)/.exec(url)?.[1]);
  const story = heads.has(id) ? undefined : demoStoryById(id, stories);
  const head = story ? headOf(story) : heads.get(id);
  if (head) return [head, trees[(id / 1_000) % trees.length] as Buffer];
  const list = /^\/news(?:\?p=(\d+))?$/.exec(url);
  const page = list && lists[Number(list[1] ?? 1) - 1];
  return page ? [page] : null;
}

function answer(socket: Socket, url: string, isPage: boolean): void {
  const page = isPage ? bodyOf(url) : null;
  const other = OTHERS[url];
  const parts = page ?? [Buffer.from(other?.() ?? '')];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const type = page ? 'text/html; charset=utf-8' : 'text/plain';
  socket.cork();
  socket.write(
    `HTTP/1.1 ${page || other ? '200 OK' : '404 Not Found'}\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`,
  );
  for (const [nth, part] of parts.entries()) socket.write(part, isPage && nth === parts.length - 1 ? count : undefined);
  socket.uncork();
}

const server = createServer({ noDelay: true }, (socket) => {
  let unread = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    unread += chunk.toString('latin1');
    for (let end = unread.indexOf(END_OF_REQUEST); end !== -1; end = unread.indexOf(END_OF_REQUEST)) {
      const request = unread.slice(0, end);
      unread = unread.slice(end + END_OF_REQUEST.length);
      const [, url = '/'] = request.split(' ', 2);
      // Asked for, not answered: the first request is where a crawl's time begins.
      const isPage = url.startsWith('/item') || url.startsWith('/news');
      if (isPage) begin();
      const reply = () => {
        answer(socket, url, isPage);
        if (/^connection: close$/im.test(request)) socket.end();
      };
      if (wait > 0 && isPage) setTimeout(reply, wait);
      else reply();
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const bytes =
    [...heads.values()].reduce((sum, { length }) => sum + length, 0) / heads.size +
    trees.reduce((sum, { length }) => sum + length, 0) / trees.length;
  console.log(
    JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/news`, itemBytes: Math.round(bytes) }),
  );
});
