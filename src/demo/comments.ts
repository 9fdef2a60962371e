// The comments under the demo site's stories: as many as the story says, some nested, one flagged and so without a text.
import { type DemoStory, demoUser, draw } from './stories.ts';

/** One comment, in the order of the page: an answer follows what it answers. */
export interface DemoComment {
  readonly id: number;
  readonly author: string;
  /** 0 for an answer to the story itself, 1 for an answer to that, and so on. */
  readonly depth: number;
  /** Plain text, or null for a flagged comment, which shows none. */
  readonly paragraphs: readonly string[] | null;
}

const FLAGGED = 4;
const MAX_DEPTH = 5;

// Some look like what a careless selector is after: points, comment counts, links.
const SENTENCES = [
  'We ran something like this for three years and the only outage was a squirrel.',
  'The part about measuring first should be printed on a poster and hung above every desk in the building.',
  "I'm not convinced: the numbers in the second table compare a warm cache with a cold one, which proves very little.",
  'Does anyone know whether this works on a machine with less than 512 MB of memory?',
  'For reference, the earlier discussion of this got 4,096 points and 77 comments, and nobody agreed then either.',
  'It depends on what you call simple. Fewer lines, or fewer things that can be in the wrong state at the same time?',
  'Author here. Happy to answer questions, and sorry about the colours, they looked better at night.',
  'This is a solved problem & has been since 1983; what is new is that <em>nobody</em> remembers the solution.',
  'The trick is older than it looks: write the answer down before you tell anyone that you have it.',
  'I tried it over the weekend. Setup took ten minutes, of which nine were me looking for the right cable.',
  'My grandmother kept her recipes exactly like this, on cards, with the date of every change in the corner.',
  'Strong agree, with one exception: if two people edit at once, the one who saves last should at least be told.',
  '"It works on my machine" is a fine start, as long as shipping the machine is an option.',
  'Has anybody compared this with the approach in the paper? I would expect it to be slower for wide rows, faster for long ones.',
];

/** The comments under a story. */
export function demoComments(story: DemoStory): DemoComment[] {
  const comments: DemoComment[] = [];
  let depth = 0;
  for (let nth = 0; nth < story.commentCount; nth += 1) {
    // Any depth from the top to one below the comment before it.
    if (nth > 0) depth = Math.min(MAX_DEPTH, draw(story.index, 100 + nth, depth + 2));
    comments.push({
      id: story.id + 1 + nth,
      author: demoUser(story.index, 200 + nth),
      depth,
      paragraphs: nth === FLAGGED ? null : paragraphsOf(story.index, nth),
    });
  }
  return comments;
}

function paragraphsOf(index: number, nth: number): string[] {
  return Array.from({ length: 1 + draw(index, 300 + nth, 3) }, (_, paragraph) => {
    const first = draw(index, 400 + 7 * nth + paragraph, SENTENCES.length);
    return `${SENTENCES[first]} ${SENTENCES[(first + 3) % SENTENCES.length]}`;
  });
}
