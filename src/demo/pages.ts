// The demo site's HTML: list and item pages with the element and class names of Hacker News, whose routes are the example.
import { type DemoComment, demoComments } from './comments.ts';
import { type DemoStory, demoStory } from './stories.ts';

// Ages count back from here: pages must not depend on the clock.
const NOW_MILLIS = Date.UTC(2026, 0, 15, 12);
const STYLE = `body{font:10pt Verdana,sans-serif}#hnmain{width:85%;background:#f6f6ef}.subtext,.comhead{color:#777;font-size:8pt}`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** List page `number`, from 1. The last one has no link to a next. */
export function listPage(number: number, { stories, perPage }: { stories: number; perPage: number }): string {
  const first = (number - 1) * perPage;
  const last = Math.min(first + perPage, stories);
  let rows = '';
  for (let index = first; index < last; index += 1) {
    rows += `${storyRows(demoStory(index), `${index + 1}.`)}<tr class="spacer" style="height:5px"></tr>\n`;
  }
  const more =
    last < stories
      ? `<tr class="morespace" style="height:10px"></tr><tr><td colspan="2"></td>` +
        `<td class='title'><a href='?p=${number + 1}' class='morelink' rel='next'>More</a></td></tr>`
      : '';
  return toDocument(layout('Demo News', `<table border="0" cellpadding="0" cellspacing="0">${rows}${more}</table>`));
}

/** A page's title and what its body holds, both as HTML. */
export interface PageParts {
  readonly title: string;
  readonly body: string;
}

/** A story's own page, with all its comments. */
export function itemPage(story: DemoStory): string {
  return toDocument(itemParts(story));
}

export function itemParts(story: DemoStory): PageParts {
  const text =
    story.kind === 'text' ? 'I have looked everywhere and asked everyone. <p>What do you do, and would you do it again?' : '';
  return layout(
    `${escapeHtml(story.title)} | Demo News`,
    `<table class="fatitem" border="0">${storyRows(story, '')}<tr><td colspan="2"></td><td><div class="toptext">${text}</div></td></tr></table><br>
<table border="0" class="comment-tree">${demoComments(story)
      .map((comment) => commentRow(comment, story))
      .join('\n')}</table>`,
  );
}

/** The two rows of a story: title, and the line under it. */
function storyRows(story: DemoStory, rank: string): string {
  const { id, kind } = story;
  const vote =
    kind === 'job'
      ? '<td><img src="data:," height="1" width="14"></td>'
      : `<td valign="top" class="votelinks"><center><a id='up_${id}' href='vote?id=${id}&amp;how=up'><div class='votearrow' title='upvote'></div></a></center></td>`;
  return `<tr class="athing submission" id="${id}"><td align="right" valign="top" class="title"><span class="rank">${rank}</span></td>${vote}<td class="title">${titleCell(story)}</td></tr>
<tr><td colspan="2"></td><td class="subtext">${subtext(story)}</td></tr>`;
}

function titleCell({ index, kind, title, href }: DemoStory): string {
  const host = kind === 'text' ? '' : new URL(href).hostname;
  const site =
    host && `<span class="sitebit comhead"> (<a href="from?site=${host}"><span class="sitestr">${host}</span></a>)</span>`;
  const link = `href="${escapeHtml(href)}"`;
  const text = escapeHtml(title);
  // The markup of 2022 and 2020 on a few stories, as a crawl of older copies would meet it.
  if (index % 20 === 7) return `<a ${link} class="titlelink">${text}</a>${site}`;
  if (index % 20 === 14) return `<a ${link} class="storylink">${text}</a>${site}`;
  return `<span class="titleline"><a ${link}>${text}</a>${site}</span>`;
}

function subtext(story: DemoStory): string {
  const { id, author, score, commentCount } = story;
  if (author === null) return age(story.index, `item?id=${id}`);
  const comments = commentCount === 0 ? 'discuss' : `${commentCount}&nbsp;comment${commentCount === 1 ? '' : 's'}`;
  return (
    `<span class="subline"><span class="score" id="score_${id}">${score} point${score === 1 ? '' : 's'}</span> by ` +
    `<a href="user?id=${author}" class="hnuser">${author}</a> ${age(story.index, `item?id=${id}`)} <span id="unv_${id}"></span> | ` +
    `<a href="hide?id=${id}">hide</a> | <a href="item?id=${id}">${comments}</a></span>`
  );
}

function commentRow({ id, author, depth, paragraphs }: DemoComment, story: DemoStory): string {
  const body = paragraphs
    ? `<div class="commtext c00">${paragraphs.map(escapeHtml).join('<p>')}</div><div class="reply"><p><font size="1"><u><a href="reply?id=${id}" rel="nofollow">reply</a></u></font></div>`
    : '[flagged]';
  return `<tr class="athing comtr" id="${id}"><td><table border="0"><tr><td class="ind" indent="${depth}"><img src="data:," height="1" width="${40 * depth}"></td>
<td valign="top" class="votelinks"><center><a id='up_${id}' href='vote?id=${id}&amp;how=up'><div class='votearrow' title='upvote'></div></a></center></td>
<td class="default"><div style="margin-top:2px; margin-bottom:-10px;"><span class="comhead"><a href="user?id=${author}" class="hnuser">${author}</a> ${age(story.index, `item?id=${story.id}#${id}`)}</span></div><br>
<div class="comment">${body}</div></td></tr></table></td></tr>`;
}

function age(index: number, href: string): string {
  const hours = 1 + (index % 23);
  const posted = NOW_MILLIS - hours * 3_600_000;
  const title = `${new Date(posted).toISOString().slice(0, 19)} ${posted / 1000}`;
  return `<span class="age" title="${title}"><a href="${href}">${hours} hour${hours === 1 ? '' : 's'} ago</a></span>`;
}

function layout(title: string, content: string): PageParts {
  const body = `<center><table id="hnmain" border="0" cellpadding="0" cellspacing="0"><tr><td bgcolor="#ff6600"><span class="pagetop"><b class="hnname"><a href="news">Demo News</a></b> made-up stories from your own machine</span></td></tr>
<tr style='height:10px'/><tr id="bigbox"><td>${content}</td></tr></table></center>`;
  return { title, body };
}

/** A whole document of the site. */
export function toDocument({ title, body }: PageParts): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1.0"><link rel="icon" href="data:,"><style>${STYLE}</style><title>${title}</title></head>
<body>${body}</body></html>
`;
}
