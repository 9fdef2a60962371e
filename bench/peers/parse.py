"""Python's parsers on one page: python3 parse.py FILE. Prints JSON: way -> milliseconds (median of 5), title and all
comments' texts extracted; null where a package is not there."""
import json
import statistics
import sys
import time

html = open(sys.argv[1], encoding="utf-8").read()


def bs4(parser):
    from bs4 import BeautifulSoup

    def run():
        page = BeautifulSoup(html, parser)
        return page.select_one(".titleline > a").get_text(), [c.get_text() for c in page.select(".commtext")]

    return run


def by_lxml():
    from lxml import html as parser

    def run():
        page = parser.fromstring(html)
        return page.xpath('//span[@class="titleline"]/a')[0].text_content(), [c.text_content() for c in page.xpath('//div[contains(@class, "commtext")]')]

    return run


def by_selectolax():
    from selectolax.lexbor import LexborHTMLParser

    def run():
        page = LexborHTMLParser(html)
        return page.css_first(".titleline > a").text(), [c.text() for c in page.css(".commtext")]

    return run


def measure(make):
    try:
        run = make()
        found = run()
    except ImportError:
        return None
    assert found[0] and len(found[1]) > 100, found[0]
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        run()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


print(json.dumps({
    "bs4, html.parser": measure(lambda: bs4("html.parser")),
    "bs4, lxml": measure(lambda: bs4("lxml")),
    "lxml": measure(by_lxml),
    "selectolax (lexbor)": measure(by_selectolax),
}))
