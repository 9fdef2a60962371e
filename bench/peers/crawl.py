"""Peers in Python: python3 crawl.py WAY URL [LIMIT], where WAY is requests-bs4, aiohttp-bs4, aiohttp-lxml or scrapy.
Each extracts and follows what src/routes/hackernews does. LIMIT: story pages at most.
requests-items and aiohttp-items fetch so many story pages of the demo site, one after the other or 50 at once."""
import asyncio
import json
import re
import sys
from urllib.parse import urljoin

way, start = sys.argv[1], sys.argv[2]
limit = int(sys.argv[3]) if len(sys.argv) > 3 else 10**9
rows = []


def number(text):
    found = re.match(r"\s*([\d,]+)", text or "")
    return int(found.group(1).replace(",", "")) if found else 0


def soup_list(html, url):
    from bs4 import BeautifulSoup
    page = BeautifulSoup(html, "html.parser")
    more = page.select_one("a.morelink")
    return [urljoin(url, "item?id=" + row["id"]) for row in page.select("tr.athing:not(.comtr)")], more and urljoin(url, more["href"])


def soup_item(html, url):
    from bs4 import BeautifulSoup
    story = BeautifulSoup(html, "html.parser").select_one("table.fatitem")
    link = story.select_one(".titleline > a, a.titlelink, a.storylink")
    score, user = story.select_one(".subtext .score"), story.select_one(".subtext .hnuser")
    links = [a.get_text() for a in story.select(".subtext a")]
    return row(url, link.get_text(), link["href"], score and score.get_text(), user and user.get_text(), links)


def lxml_list(html, url):
    from lxml import html as parser
    page = parser.fromstring(html)
    more = page.xpath('//a[@class="morelink"]/@href')
    ids = page.xpath('//tr[contains(@class, "athing") and not(contains(@class, "comtr"))]/@id')
    return [urljoin(url, "item?id=" + i) for i in ids], more and urljoin(url, more[0])


def lxml_item(html, url):
    from lxml import html as parser
    return tree_row(parser.fromstring(html).xpath('//table[@class="fatitem"]')[0], url)


def tree_row(story, url):
    link = story.xpath('.//span[@class="titleline"]/a | .//a[@class="titlelink"] | .//a[@class="storylink"]')[0]
    text = lambda path: next(iter(story.xpath(path)), None)
    links = story.xpath('.//td[@class="subtext"]//a/text()')
    return row(url, link.text_content(), link.get("href"), text('.//span[@class="score"]/text()'), text('.//a[@class="hnuser"]/text()'), links)


def row(url, title, href, score, user, links):
    comments = next((link for link in links if "comment" in link), None)
    return {"title": title, "url": urljoin(url, href), "score": number(score), "author": user, "comments": number(comments), "itemUrl": url}


def run_requests():
    import requests
    session, page, known = requests.Session(), start, 0
    while page and known < limit:
        items, following = soup_list(session.get(page).text, page)
        for item in items[: limit - known]:
            rows.append(soup_item(session.get(item).text, item))
        known += len(items)
        page = following


async def run_aiohttp(read_list, read_item):
    import aiohttp
    queue = asyncio.Queue()
    queue.put_nowait((start, True))
    known = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as session:

        async def work():
            nonlocal known
            while True:
                url, is_list = await queue.get()
                async with session.get(url) as response:
                    html = await response.text()
                if is_list:
                    items, following = read_list(html, url)
                    for item in items[: max(0, limit - known)]:
                        queue.put_nowait((item, False))
                    known += len(items)
                    if following and known < limit:
                        queue.put_nowait((following, True))
                else:
                    rows.append(read_item(html, url))
                queue.task_done()

        workers = [asyncio.ensure_future(work()) for _ in range(50)]
        await queue.join()
        for worker in workers:
            worker.cancel()


def item_urls():
    return [urljoin(start, f"item?id={40_000_000 + nth * 1_000}") for nth in range(limit)]


def run_requests_items():
    import requests
    session = requests.Session()
    for url in item_urls():
        rows.append(soup_item(session.get(url).text, url))


async def run_aiohttp_items():
    import aiohttp
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as session:

        async def work(url):
            async with session.get(url) as response:
                rows.append(soup_item(await response.text(), url))

        await asyncio.gather(*map(work, item_urls()))


def run_scrapy():
    import scrapy
    from scrapy.crawler import CrawlerProcess

    class News(scrapy.Spider):
        name = "news"
        start_urls = [start]

        def parse(self, response):
            for row_id in response.css("tr.athing:not(.comtr)::attr(id)").getall():
                yield response.follow("item?id=" + row_id, self.item)
            more = response.css("a.morelink::attr(href)").get()
            if more:
                yield response.follow(more, self.parse)

        def item(self, response):
            story = response.css("table.fatitem")[0]
            get = lambda selector: story.css(selector).get()
            link = ".titleline > a::{0}, a.titlelink::{0}, a.storylink::{0}"
            rows.append(row(response.url, get(link.format("text")), get(link.format("attr(href)")), get(".subtext .score::text"), get(".subtext .hnuser::text"), story.css(".subtext a::text").getall()))

    process = CrawlerProcess({"LOG_LEVEL": "ERROR", "CONCURRENT_REQUESTS": 50, "CONCURRENT_REQUESTS_PER_DOMAIN": 50, "ROBOTSTXT_OBEY": False, "TELNETCONSOLE_ENABLED": False})
    process.crawl(News)
    process.start()


if way == "requests-bs4":
    run_requests()
elif way == "requests-items":
    run_requests_items()
elif way == "aiohttp-items":
    asyncio.run(run_aiohttp_items())
elif way == "aiohttp-bs4":
    asyncio.run(run_aiohttp(soup_list, soup_item))
elif way == "aiohttp-lxml":
    asyncio.run(run_aiohttp(lxml_list, lxml_item))
else:
    run_scrapy()
with open("/dev/null", "w") as out:
    json.dump(rows, out)
print(len(rows))
