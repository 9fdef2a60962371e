// What stands in the way of a few stories when the demo site shows the ladder off: pages that only scripts render, a
// challenge that only a browser passes, and answers that say "later" once.
import { itemParts, toDocument } from './pages.ts';
import type { DemoStory } from './stories.ts';

export type Obstacle = 'scripts' | 'challenge' | 'throttled' | 'broken';

/** By the story's place in the list: two on the first page, two on the second, two on the third. */
const OBSTACLES: ReadonlyMap<number, Obstacle> = new Map([
  [8, 'throttled'],
  [19, 'scripts'],
  [36, 'challenge'],
  [48, 'scripts'],
  [66, 'broken'],
  [71, 'scripts'],
]);

export function obstacleOf({ index }: DemoStory): Obstacle | null {
  return OBSTACLES.get(index) ?? null;
}

/** Where the script of the `scripts` pages is. */
export const SCRIPT_PATH = '/app.js';

/** Fills a shell with the page that it carries as data: the same elements that the server would have sent. */
export const SCRIPT = `const { title, body } = JSON.parse(document.getElementById('state').textContent);
document.querySelector('title').innerHTML = title;
document.body.innerHTML = body;
`;

/** An application's shell. The script is there before the page's load event, so nobody has to know what to wait for. */
export function shellPage(story: DemoStory): string {
  // Nothing in the data may end the element that holds it.
  const state = JSON.stringify(itemParts(story)).replaceAll('<', '\\u003c');
  return toDocument({
    title: 'Demo News',
    body: `<div id="app"></div><noscript>This page needs JavaScript.</noscript><script id="state" type="application/json">${state}</script><script src="${SCRIPT_PATH}" defer></script>`,
  });
}

const PASS = 'demo_pass';
const ROUNDS = 1_000;

/** Lets nobody in but a client that runs its script: it works the pass out, keeps it as a cookie and comes again. */
export function challengePage({ id }: DemoStory): string {
  return toDocument({
    title: 'Demo News',
    body: `<p>This story opens for browsers only. A moment, and it is here.</p>
<script>
let pass = ${id};
for (let round = 0; round < ${ROUNDS}; round += 1) pass = (pass * 48271 + round) % 2147483647;
document.cookie = '${PASS}=' + pass + '; Path=/item; SameSite=Lax';
if (document.cookie.includes('${PASS}=' + pass)) location.reload();
</script>`,
  });
}

/** Whether a request's cookies hold the pass for this story. @param cookies The Cookie header. */
export function passes({ id }: DemoStory, cookies: string | undefined): boolean {
  let pass = id;
  for (let round = 0; round < ROUNDS; round += 1) pass = (pass * 48_271 + round) % 2_147_483_647;
  return (cookies ?? '').split(/;\s*/).includes(`${PASS}=${pass}`);
}
